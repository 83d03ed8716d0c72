// What the page does when the network does its worst, over real sockets.

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createStorageOutbox } from '../../src/client/index.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { createChat, type Chat } from '../../web/src/chat.ts';
import { createRest } from '../../web/src/rest.ts';
import { createObservable, type MutableObservable, type Observable } from '../../web/src/observable.ts';
import { openWsSocket } from '../client/ws-socket.ts';
import { answerOfTurn, stateOfTurn, temporalLinkOf, type Turn } from '../../web/src/turn.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { createMemoryStore } from './memory-store.ts';
import { startScriptedGateway, type ScriptedGateway } from './scripted-gateway.ts';
import { agentId, createTurnScript } from './turn-script.ts';

const longestReconnectMs = 20_000;

let gateway: ScriptedGateway;
let storage: Map<string, string>;
let pages: Chat[];
let signedOut: MutableObservable<boolean>;

beforeEach(async () => {
  gateway = await startScriptedGateway();
  storage = new Map();
  pages = [];
  signedOut = createObservable(false);
});
afterEach(async () => {
  for (const page of pages) page.close();
  await gateway.stop();
});

/** A page over the test's storage; opening a second one is a reload, or a second tab. */
function openPage(clock: ManualClock = createManualClock()): Chat {
  const base = `127.0.0.1:${gateway.port}`;
  const page = createChat({
    rest: createRest(
      (input, init) => fetch(`http://${base}${input as string}`, init),
      () => 'a.b.c',
      () => signedOut.set(true),
    ),
    url: `http://${base}`,
    token: 'a.b.c',
    openSocket: openWsSocket,
    outbox: createStorageOutbox(createMemoryStore(storage), 'local'),
    clock,
    random: () => 1,
    schedule: (tell) => tell(),
    onUnauthenticated: () => signedOut.set(true),
    onOpened: () => undefined,
  });
  pages.push(page);
  return page;
}

/** Resolves as soon as the value satisfies the condition. */
async function until<Value>(observable: Observable<Value>, holds: (value: Value) => boolean): Promise<Value> {
  return new Promise((resolve) => {
    const check = (): boolean => {
      if (!holds(observable.get())) return false;
      unsubscribe();
      resolve(observable.get());
      return true;
    };
    let unsubscribe = (): void => undefined;
    if (!check()) unsubscribe = observable.subscribe(() => void check());
  });
}

const connected = (page: Chat) => until(page, ({ connections }) => connections.get(agentId)?.kind === 'open');
const disconnected = (page: Chat) => until(page, ({ connections }) => connections.get(agentId)?.kind === 'waiting');
const turnOf = (page: Chat, turnId: TurnId): Turn => {
  const turn = page.conversations.findTurn(turnId);
  if (turn === null) throw new Error(`the page does not show the turn ${turnId}`);
  return turn;
};
const untilTurn = (page: Chat, turnId: TurnId, holds: (turn: Turn) => boolean) =>
  until(page.conversations, () => {
    const turn = page.conversations.findTurn(turnId);
    return turn !== null && holds(turn);
  });

/** Sends a message and lets the gateway answer its first half. */
async function startAnswer(page: Chat) {
  await connected(page);
  page.send('Question?');
  const { turnId, conversationId } = await gateway.frame('message');
  const script = createTurnScript(turnId, conversationId);
  for (const event of [script.accepted('Question?'), script.started(), script.thinking(), script.delta(0, 'First, ')]) {
    gateway.emit(event);
  }
  await untilTurn(page, turnId, (turn) => answerOfTurn(turn) === 'First, ');
  return { turnId, conversationId, script };
}

function finish(script: ReturnType<typeof createTurnScript>, text: string): void {
  for (const event of [script.answered(text), script.stored(), script.auditStarted(), script.completed()]) {
    gateway.emit(event);
  }
}

describe('a message', () => {
  test('that is not accepted yet is sent again under the same id after the connection was lost', async () => {
    const clock = createManualClock();
    const page = openPage(clock);
    await connected(page);
    page.send('Question?');
    const first = await gateway.frame('message');
    gateway.cut();
    await disconnected(page);
    clock.runDue(longestReconnectMs);
    expect(await gateway.frame('message')).toEqual(first);
  });

  test('that is not accepted yet is sent again under the same id after a reload', async () => {
    const page = openPage();
    await connected(page);
    page.send('Question?');
    const first = await gateway.frame('message');
    page.close();
    openPage();
    expect(await gateway.frame('message')).toEqual(first);
  });

  test('that was accepted before a reload is resumed even while the graph does not know it', async () => {
    const page = openPage();
    await connected(page);
    page.send('Question?');
    const { turnId, conversationId } = await gateway.frame('message');
    page.close();
    gateway.emit(createTurnScript(turnId, conversationId).accepted('Question?'));
    const again = openPage();
    expect((await gateway.frame('message')).turnId).toBe(turnId);
    gateway.emit(createTurnScript(turnId, conversationId).accepted('Question?'));
    await untilTurn(again, turnId, (turn) => stateOfTurn(turn) === 'accepted');
    again.close();
    openPage();
    expect(await gateway.frame('resume')).toEqual({ type: 'resume', turnId });
  });

  test('that was refused for a while is sent again by itself, with the reason shown until then', async () => {
    const clock = createManualClock();
    const page = openPage(clock);
    await connected(page);
    page.send('Question?');
    const { turnId, conversationId } = await gateway.frame('message');
    gateway.refuse('engine_unavailable', turnId);
    await untilTurn(page, turnId, (turn) => turn.refusal?.code === 'engine_unavailable');
    clock.runDue(5_000);
    expect((await gateway.frame('message')).turnId).toBe(turnId);
    gateway.emit(createTurnScript(turnId, conversationId).accepted('Question?'));
    await untilTurn(page, turnId, (turn) => turn.refusal === null && stateOfTurn(turn) === 'accepted');
  });

  test('that was refused for good stays until it is discarded, and then is gone', async () => {
    const clock = createManualClock();
    const page = openPage(clock);
    await connected(page);
    page.send('Question?');
    const { turnId } = await gateway.frame('message');
    gateway.refuse('turn_conflict', turnId);
    await untilTurn(page, turnId, (turn) => turn.refusal?.code === 'turn_conflict');
    page.discard(turnId);
    expect(page.conversations.findTurn(turnId)).toBeNull();
    expect(storage.size).toBe(0);
  });
});

describe('an answer', () => {
  test('goes on at its character after the connection was lost', async () => {
    const clock = createManualClock();
    const page = openPage(clock);
    const { turnId, script } = await startAnswer(page);
    gateway.cut();
    await disconnected(page);
    gateway.emit(script.delta(7, 'second, '));
    clock.runDue(longestReconnectMs);
    const { cursor } = await gateway.frame('resume');
    expect(cursor).toMatchObject({ seq: 3, streams: [{ step: 1, attempt: 1, channel: 'answer', offset: 7 }] });
    await untilTurn(page, turnId, (turn) => answerOfTurn(turn) === 'First, second, ');
    gateway.emit(script.delta(15, 'third.'));
    finish(script, 'First, second, third.');
    await untilTurn(page, turnId, (turn) => stateOfTurn(turn) === 'completed');
    expect(answerOfTurn(turnOf(page, turnId))).toBe('First, second, third.');
  });

  test('is whole in a page that is opened in the middle of it', async () => {
    const page = openPage();
    const { turnId, conversationId, script } = await startAnswer(page);
    page.close();
    const reloaded = openPage();
    reloaded.open(conversationId);
    await untilTurn(reloaded, turnId, (turn) => answerOfTurn(turn) === 'First, ');
    gateway.emit(script.delta(7, 'second.'));
    finish(script, 'First, second.');
    await untilTurn(reloaded, turnId, (turn) => stateOfTurn(turn) === 'completed');
    expect(answerOfTurn(turnOf(reloaded, turnId))).toBe('First, second.');
  });

  test('fetches what a gap hides', async () => {
    const page = openPage();
    const { turnId, script } = await startAnswer(page);
    gateway.emit(script.delta(7, 'second, '), 'lost');
    gateway.emit(script.delta(15, 'third.'));
    expect((await gateway.frame('resume')).cursor?.streams?.[0]?.offset).toBe(7);
    await untilTurn(page, turnId, (turn) => answerOfTurn(turn) === 'First, second, third.');
  });

  test('leaves nothing in the outbox and has its link to Temporal UI', async () => {
    const page = openPage();
    const { turnId, script } = await startAnswer(page);
    await untilTurn(page, turnId, (turn) => temporalLinkOf(turn) === `http://127.0.0.1:8233/${turnId}`);
    finish(script, 'First, ');
    await untilTurn(page, turnId, (turn) => turn.resource?.state === 'completed');
    expect(storage.size).toBe(0);
  });

  test('is asked to stop once more when the connection was lost with the request', async () => {
    const clock = createManualClock();
    const page = openPage(clock);
    const { turnId, script } = await startAnswer(page);
    gateway.cut();
    await disconnected(page);
    page.stop(turnId);
    clock.runDue(longestReconnectMs);
    expect(await gateway.frame('cancel')).toEqual({ type: 'cancel', turnId });
    gateway.emit(script.cancelled());
    await untilTurn(page, turnId, (turn) => stateOfTurn(turn) === 'cancelled');
    expect(answerOfTurn(turnOf(page, turnId))).toBe('First, ');
  });
});

describe('a conversation', () => {
  test('is watched once its first turn is linked, and shows turns of other devices from then on', async () => {
    const page = openPage();
    const { conversationId } = await startAnswer(page);
    expect(await gateway.frame('watch')).toEqual({ type: 'watch', conversationId });
    const elsewhere = randomUUID() as TurnId;
    gateway.emit(createTurnScript(elsewhere, conversationId).accepted('From the phone'));
    await untilTurn(page, elsewhere, (turn) => stateOfTurn(turn) === 'accepted');
  });

  test('that is not there is told in the gateway’s words', async () => {
    const page = openPage();
    const id = randomUUID() as ConversationId;
    page.open(id);
    const map = await until(page.conversations, (all) => typeof all.get(id)?.load === 'object');
    expect(map.get(id)?.load).toMatchObject({ problem: { code: 'conversation_not_found' } });
  });
});

describe('a token that is not accepted any more', () => {
  test('leads to signing in when the gateway closes with 4401', async () => {
    const page = openPage();
    await connected(page);
    gateway.closeSockets(4401);
    await until(signedOut, (value) => value);
  });

  test('is found out by HTTP when the upgrade fails, because a browser does not say why', async () => {
    const clock = createManualClock();
    const page = openPage(clock);
    await connected(page);
    gateway.refuseTokens();
    gateway.cut();
    await disconnected(page);
    clock.runDue(longestReconnectMs);
    await until(signedOut, (value) => value);
    expect(page.get().connections.get(agentId)).toEqual({ kind: 'connecting' });
  });
});
