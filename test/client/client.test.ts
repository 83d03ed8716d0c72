// A client keeps what it was asked to do over whatever becomes of its connection; over real sockets, against a gateway
// whose turns do what the test says.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  createCandorClient,
  createStorageOutbox,
  type CandorClient,
  type CandorClientOptions,
} from '../../src/client/index.ts';
import type { ConversationId } from '../../src/protocol/ids.ts';
import { createMemoryStore } from '../web/memory-store.ts';
import { createManualClock, type ManualClock } from '../web/manual-clock.ts';
import { startScriptedGateway, type ScriptedGateway } from '../web/scripted-gateway.ts';
import { agentId, createTurnScript } from '../web/turn-script.ts';
import { collect, seqsOf, textOf, untilState } from './reading-turns.ts';
import { openWsSocket } from './ws-socket.ts';

const longestReconnectMs = 20_000;
const silenceMs = 30_000;

let gateway: ScriptedGateway;
let clients: CandorClient[];
let clock: ManualClock;

beforeEach(async () => {
  gateway = await startScriptedGateway();
  clients = [];
  clock = createManualClock();
});
afterEach(async () => {
  for (const client of clients) client.close();
  await gateway.stop();
});

function open(part: Partial<CandorClientOptions> = {}): CandorClient {
  const client = createCandorClient({
    url: `http://127.0.0.1:${gateway.port}`,
    agentId,
    token: () => 'a.b.c',
    openSocket: openWsSocket,
    clock,
    random: () => 1,
    ...part,
  });
  clients.push(client);
  return client;
}

/** Sends a message and lets the gateway answer its first half. */
async function startAnswer(client: CandorClient) {
  const turn = client.send({ text: 'Question?' });
  const { turnId, conversationId } = await gateway.frame('message');
  const script = createTurnScript(turnId, conversationId);
  for (const event of [script.accepted('Question?'), script.started(), script.thinking(), script.delta(0, 'First, ')]) {
    gateway.emit(event);
  }
  await turn.until(({ text }) => text === 'First, ');
  return { turn, script };
}

function finish(script: ReturnType<typeof createTurnScript>, text: string): void {
  for (const event of [script.answered(text), script.stored(), script.auditStarted(), script.completed()]) {
    gateway.emit(event);
  }
}

/** Resolves when so many timers are set. */
async function untilPending(count: number): Promise<void> {
  while (clock.pending().length < count) await new Promise((resolve) => setImmediate(resolve));
}

async function reconnect(client: CandorClient): Promise<void> {
  await untilState(client, 'waiting');
  clock.runDue(longestReconnectMs);
  await untilState(client, 'open');
}

describe('a turn', () => {
  test('is accepted, grows, and ends with its transcript', async () => {
    const client = open();
    const { turn, script } = await startAnswer(client);
    await turn.accepted;
    expect([turn.state, turn.text]).toEqual(['running', 'First, ']);
    gateway.emit(script.delta(7, 'second.'));
    finish(script, 'First, second.');
    await turn.ended;
    expect([turn.state, turn.text]).toEqual(['completed', 'First, second.']);
    expect(client.turns).toEqual([]);
  });

  test('gives every event once and every character once over a lost connection', async () => {
    const client = open();
    const { turn, script } = await startAnswer(client);
    const read = collect(turn);
    gateway.cut();
    gateway.emit(script.delta(7, 'second, '));
    await reconnect(client);
    expect((await gateway.frame('resume')).cursor).toMatchObject({ seq: 3, streams: [{ offset: 7 }] });
    gateway.emit(script.delta(15, 'third.'));
    finish(script, 'First, second, third.');
    const items = await read;
    expect(textOf(items)).toBe('First, second, third.');
    expect(seqsOf(items)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(items.at(-1)?.type).toBe('turn_completed');
  });

  test('is given to a loop that begins late from its first event on', async () => {
    const { turn, script } = await startAnswer(open());
    finish(script, 'First, and last.');
    await turn.ended;
    const items = await collect(turn);
    expect(seqsOf(items)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(textOf(items)).toBe('First, and last.');
  });

  test('that is not accepted is sent again under the same id after a lost connection', async () => {
    const client = open();
    const turn = client.send({ text: 'Question?' });
    const first = await gateway.frame('message');
    expect(turn.state).toBe('unsent');
    gateway.cut();
    await reconnect(client);
    expect(await gateway.frame('message')).toEqual(first);
  });

  test('that was refused for a while is sent again by itself', async () => {
    const turn = open().send({ text: 'Question?' });
    const first = await gateway.frame('message');
    gateway.refuse('engine_unavailable', turn.turnId);
    await turn.until(({ refusal }) => refusal?.code === 'engine_unavailable');
    clock.runDue(5_000);
    expect(await gateway.frame('message')).toEqual(first);
  });

  test('that was refused for good rejects with the gateway’s error, and can be sent anew', async () => {
    const client = open();
    const turn = client.send({ text: 'Question?' });
    const first = await gateway.frame('message');
    const read = collect(turn);
    gateway.refuse('turn_conflict', turn.turnId);
    await expect(turn.accepted).rejects.toMatchObject({ code: 'turn_conflict', name: 'CandorClientError' });
    await expect(turn.ended).rejects.toMatchObject({ code: 'turn_conflict' });
    await expect(read).rejects.toMatchObject({ code: 'turn_conflict', info: { retryable: false } });
    const { text, turnId, conversationId } = first;
    client.send({ text, turnId, conversationId });
    expect(await gateway.frame('message')).toEqual(first);
  });
});

describe('a stop', () => {
  test('that was lost with its connection is asked again, until the turn is over', async () => {
    const client = open();
    const { turn, script } = await startAnswer(client);
    gateway.cut();
    await untilState(client, 'waiting');
    const stopped = turn.stop();
    expect(turn.stopRequested).toBe(true);
    clock.runDue(longestReconnectMs);
    expect(await gateway.frame('cancel')).toEqual({ type: 'cancel', turnId: turn.turnId });
    gateway.emit(script.cancelled());
    await stopped;
    expect([turn.state, turn.text, turn.stopRequested]).toEqual(['cancelled', 'First, ', false]);
  });

  test('that was refused for a while is asked again although the answer goes on', async () => {
    const { turn, script } = await startAnswer(open());
    const stopped = turn.stop();
    await gateway.frame('cancel');
    gateway.refuse('engine_unavailable', turn.turnId);
    await turn.until(({ refusal }) => refusal !== null);
    gateway.emit(script.delta(7, 'second'));
    await turn.until(({ text }) => text === 'First, second');
    expect(turn.refusal?.code).toBe('engine_unavailable');
    clock.runDue(5_000);
    await gateway.frame('cancel');
    gateway.emit(script.cancelled());
    await stopped;
  });

  test('that was refused for good rejects, and the turn goes on', async () => {
    const { turn, script } = await startAnswer(open());
    const stopped = turn.stop();
    await gateway.frame('cancel');
    gateway.refuse('internal', turn.turnId);
    await expect(stopped).rejects.toMatchObject({ code: 'internal' });
    finish(script, 'First, and last.');
    await turn.ended;
    expect(turn.text).toBe('First, and last.');
  });

  test('that comes too late resolves with the turn that has completed', async () => {
    const { turn, script } = await startAnswer(open());
    const stopped = turn.stop();
    finish(script, 'First, and last.');
    expect((await stopped).log.at(-1)?.type).toBe('turn_completed');
  });
});

describe('a closed client', () => {
  test('rejects what waits, leaves no timer, and sends nothing more', async () => {
    const client = open();
    const { turn } = await startAnswer(client);
    const read = collect(turn);
    gateway.cut();
    await untilState(client, 'waiting');
    client.close();
    await expect(turn.ended).rejects.toMatchObject({ code: 'closed', info: null });
    await expect(read).rejects.toMatchObject({ code: 'closed' });
    expect(clock.pending()).toEqual([]);
    expect(() => client.send({ text: 'More?' })).toThrow('the client was closed');
  });
});

describe('a connection', () => {
  test('fetches what a gap hides, again and again until it is there', async () => {
    const { turn, script } = await startAnswer(open());
    gateway.emit(script.delta(7, 'second, '), 'lost');
    gateway.emit(script.delta(15, 'third.'));
    expect((await gateway.frame('resume')).cursor?.streams?.[0]?.offset).toBe(7);
    await turn.until(({ text }) => text === 'First, second, third.');
  });

  test('that nobody greets is given up and tried again', async () => {
    const ignore = (): void => undefined;
    const client = open({ openSocket: () => ({ send: ignore, close: ignore, addEventListener: ignore }) });
    await untilPending(1);
    clock.runDue(longestReconnectMs);
    await untilState(client, 'waiting');
    expect(clock.pending()).toEqual([500]);
  });

  test('without a word for half a minute is given up while a turn runs, and at no other time', async () => {
    let nowMs = 0;
    const client = open({ clock: { ...clock, nowMs: () => nowMs } });
    await untilState(client, 'open');
    nowMs += 60_000;
    clock.runDue(silenceMs);
    expect(client.state.kind).toBe('open');
    const { turn, script } = await startAnswer(client);
    nowMs += 60_000;
    clock.runDue(silenceMs);
    expect(client.state.kind).toBe('waiting');
    await reconnect(client);
    await gateway.frame('resume');
    finish(script, 'First, and last.');
    await turn.ended;
  });

  test('whose listener closes the client is closed once', async () => {
    const states: string[] = [];
    const client = open();
    client.onState(({ kind }) => {
      states.push(kind);
      client.close();
    });
    await untilState(client, 'closed');
    expect(states).toEqual(['open', 'closed']);
  });

  test('goes where the address says at the time, and tells why it cannot', async () => {
    const addresses = ['no address', `http://127.0.0.1:${gateway.port}`];
    const client = open({ url: () => addresses.shift() ?? '' });
    const state = await untilState(client, 'waiting');
    expect(state).toMatchObject({ cause: { code: 'ERR_INVALID_URL' } });
    await reconnect(client);
  });

  test('asks for another token when its own has ended, and is refused when there is none', async () => {
    const asked: (string | null)[] = [];
    const client = open({ token: (stale) => (asked.push(stale), asked.length === 1 ? 'a.b.c' : 'd.e.f') });
    await untilState(client, 'open');
    gateway.closeSockets(4401);
    await untilState(client, 'connecting');
    await untilState(client, 'open');
    gateway.refuseTokens();
    gateway.closeSockets(4401);
    expect(await untilState(client, 'refused')).toMatchObject({ error: { code: 'unauthenticated' } });
    expect(asked).toEqual([null, 'a.b.c', 'd.e.f']);
  });
});

describe('an outbox', () => {
  test('brings what an earlier life of the client has not seen the end of', async () => {
    const store = createMemoryStore(new Map());
    const before = open({ outbox: createStorageOutbox(store, 'ada') });
    const { turn, script } = await startAnswer(before);
    before.send({ text: 'And then?', conversationId: turn.conversationId });
    const second = await gateway.frame('message');
    before.close();
    const after = open({ outbox: createStorageOutbox(store, 'ada') });
    expect(await gateway.frame('message')).toEqual(second);
    expect(await gateway.frame('resume')).toEqual({ type: 'resume', turnId: turn.turnId });
    finish(script, 'First, and last.');
    await after.turns.find(({ turnId }) => turnId === turn.turnId)?.ended;
    expect(store.length).toBe(1);
  });
});

describe('a correction', () => {
  test('is told to a loop, with what takes the place of what is withdrawn', async () => {
    const { turn, script } = await startAnswer(open());
    const read = collect(turn);
    const provisional = script.attemptFailed(1, 7);
    gateway.emit(provisional);
    await turn.until(({ transcript }) => transcript.log.length === 4);
    gateway.emit({ ...script.answered('First, and last.'), seq: 4 });
    gateway.emit({ ...script.completed(), seq: 5 });
    const items = (await read).map((item) =>
      item.type === 'delta' ? item.text : 'seq' in item ? `${item.type} ${item.seq}` : item.type,
    );
    expect(items.slice(items.indexOf('attempt_failed 4'))).toEqual([
      'attempt_failed 4',
      'corrected 3',
      'First, and last.',
      'agent_completed 4',
      'turn_completed 5',
    ]);
  });
});

describe('a watched conversation', () => {
  test('shows turns of other devices, and brings what is open from its first event', async () => {
    const client = open();
    await untilState(client, 'open');
    const conversationId = '6b1f0c1e-5a39-4b0e-9e55-000000000001' as ConversationId;
    const elsewhere = '6b1f0c1e-5a39-4b0e-9e55-0000000000a1';
    const watch = client.watch(conversationId);
    await gateway.frame('watch');
    const script = createTurnScript(elsewhere as never, conversationId);
    const begun = new Promise<void>((resolve) => watch.subscribe(() => resolve()));
    gateway.emit(script.accepted('From the phone'));
    await begun;
    expect(watch.turns).toMatchObject([{ turnId: elsewhere, state: 'accepted' }]);
  });
});
