// The client against a whole Candor: what it promises holds with real gateways that stop, tokens that end, and turns that
// others began.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { issueDevToken } from '../../src/api/auth/dev-token.ts';
import { createCandorClient, type CandorClient, type CandorClientOptions } from '../../src/client/index.ts';
import { terminalOf } from '../../src/protocol/transcript.ts';
import { answer, createValve } from '../../testing/upstream/upstream.ts';
import { createReplies, type Replies } from '../e2e/replies.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { collect, seqsOf, textOf, untilState } from './reading-turns.ts';
import { openWsSocket } from './ws-socket.ts';

const chunks = ['The job ', 'is restarted 🙂 ', 'by `conman rr`.'];
const whole = chunks.join('');

let stack: Stack;
let replies: Replies;
const clients: CandorClient[] = [];
beforeAll(async () => {
  stack = await startStack();
  replies = createReplies(stack.upstream);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(() => stack.close());

function open(part: Partial<CandorClientOptions> = {}): CandorClient {
  const client = createCandorClient({
    url: stack.url,
    agentId: 'operator',
    token: () => stack.token(),
    openSocket: openWsSocket,
    ...part,
  });
  clients.push(client);
  return client;
}

/** A gateway of its own over the turns of the stack. */
const startGateway = (): Promise<Stack> =>
  startStack({ roles: 'gateway', upstream: stack.upstream, taskQueue: stack.options.temporal.taskQueue });

/** The question is the turn's own, so that turns side by side do not take each other's answers. */
function hold() {
  const turnId = newTurnId();
  const text = `What about ${turnId}?`;
  const valve = createValve();
  replies.to(text, answer(chunks, { valve }));
  return { message: { turnId, text, conversationId: newConversationId() }, valve };
}

const expectEachOnce = (seqs: readonly number[]): void => expect(seqs).toEqual(seqs.map((_, index) => index + 1));

describe('a turn of a real Candor', () => {
  test('A5: gives each event once, each character once, and then the verdict', async () => {
    const { message, valve } = hold();
    valve.open();
    const turn = open().send(message);
    const items = await collect(turn.events({ until: 'verdict' }));
    expect(textOf(items)).toBe(whole);
    expectEachOnce(seqsOf(items));
    expect(items.slice(-2).map(({ type }) => type)).toEqual(['turn_completed', 'audit_completed']);
  });

  test('is stopped, with what had come', async () => {
    const { message, valve } = hold();
    valve.pass(1);
    const turn = open().send(message);
    await turn.until(({ text }) => text === chunks[0]);
    const ended = await turn.stop();
    expect(terminalOf(ended)).toMatchObject({ type: 'turn_cancelled', by: 'user' });
    expect(turn.text).toBe(chunks[0]);
    valve.open();
  });

  test('that is queued is withdrawn', async () => {
    const { message, valve } = hold();
    const client = open();
    const first = client.send(message);
    await first.until(({ transcript }) => transcript.log.some(({ type }) => type === 'agent_thinking'));
    const second = client.send({ text: 'And then?', conversationId: message.conversationId });
    await second.until(({ state }) => state === 'queued');
    expect(terminalOf(await second.withdraw())).toMatchObject({ type: 'turn_cancelled', by: 'withdrawn' });
    valve.open();
    await first.ended;
  });

  test('goes on at another gateway when its own is gone, without a seam', async () => {
    const gateways = [await startGateway(), stack];
    const { message, valve } = hold();
    valve.pass(1);
    const client = open({ url: () => gateways[0]?.url ?? '', token: async () => (await gateways[0]?.token()) ?? '' });
    const turn = client.send(message);
    const read = collect(turn);
    await turn.until(({ text }) => text === chunks[0]);
    await gateways.shift()?.close();
    valve.open();
    const items = await read;
    expect(textOf(items)).toBe(whole);
    expectEachOnce(seqsOf(items));
  });

  test('that is over is played back to whoever comes later', async () => {
    const { message, valve } = hold();
    valve.open();
    await open().send(message).ended;
    const later = open().resume(message.turnId);
    const items = await collect(later);
    expect(textOf(items)).toBe(whole);
    expectEachOnce(seqsOf(items));
    expect(later.conversationId).toBe(message.conversationId);
  });

  test('goes on from a transcript of an earlier life', async () => {
    const { message, valve } = hold();
    valve.pass(1);
    const before = open();
    const turn = before.send(message);
    await turn.until(({ text }) => text === chunks[0]);
    const saved = JSON.stringify(turn.transcript);
    before.close();
    valve.open();
    const items = await collect(open().resume(message.turnId, JSON.parse(saved) as typeof turn.transcript));
    expect(textOf(items)).toBe(chunks.slice(1).join(''));
    expect(items.at(-1)?.type).toBe('turn_completed');
  });

  test('of another user is not there', async () => {
    const { message, valve } = hold();
    valve.open();
    await open().send(message).ended;
    const eve = open({ token: () => stack.token('eve') });
    await expect(eve.resume(message.turnId).ended).rejects.toMatchObject({ code: 'turn_not_found' });
  });
});

describe('a conversation of two devices', () => {
  test('what one sends the other sees, its end and its verdict included', async () => {
    const { message, valve } = hold();
    const phone = open();
    const watch = phone.watch(message.conversationId);
    const seen = new Promise<void>((resolve) => watch.subscribe(() => watch.turns.length > 0 && resolve()));
    await new Promise<void>((resolve) => {
      const end = watch.subscribe(() => (end(), resolve()));
    });
    open().send(message);
    await seen;
    const turn = phone.resume(message.turnId);
    const read = collect(turn.events({ until: 'verdict' }));
    valve.open();
    const items = await read;
    expect(textOf(items)).toBe(whole);
    expectEachOnce(seqsOf(items));
    expect(items.at(-1)?.type).toBe('audit_completed');
    expect(watch.turns).toMatchObject([{ turnId: message.turnId, state: 'completed' }]);
  });

  test('who comes in the middle sees the answer from its first character', async () => {
    const { message, valve } = hold();
    valve.pass(1);
    const turn = open().send(message);
    await turn.until(({ text }) => text === chunks[0]);
    const watch = open().watch(message.conversationId);
    await new Promise<void>((resolve) => {
      const end = watch.subscribe(() => (end(), resolve()));
    });
    const other = watch.turns[0]?.turn;
    if (other === null || other === undefined) throw new Error('the open turn is not followed');
    await other.until(({ text }) => text === chunks[0]);
    valve.open();
    await other.ended;
    expect(other.text).toBe(whole);
  });
});

describe('a token', () => {
  const shortToken = () => issueDevToken(stack.key, { user: 'ada', ttlMs: 2_000 });

  test('that ends is renewed while the answer streams, on the same connection', async () => {
    const { message, valve } = hold();
    valve.pass(1);
    const given: (string | null)[] = [];
    let renewed: () => void = () => undefined;
    const whenRenewed = new Promise<void>((resolve) => (renewed = resolve));
    const client = open({
      token: async (stale) => {
        given.push(stale);
        if (given.length === 1) return shortToken();
        renewed();
        return stack.token();
      },
    });
    const states: string[] = [];
    client.onState(({ kind }) => states.push(kind));
    const turn = client.send(message);
    await whenRenewed;
    valve.open();
    await turn.ended;
    expect([given.length, states]).toEqual([2, ['open']]);
  });

  test('that ended brings the next one, and the answer goes on', async () => {
    const { message, valve } = hold();
    valve.pass(1);
    let asked = 0;
    const client = open({
      token: async () => {
        asked += 1;
        if (asked === 1) return shortToken();
        if (asked === 2) throw new Error('the issuer is away');
        return stack.token();
      },
    });
    const turn = client.send(message);
    const read = collect(turn);
    await untilState(client, 'open');
    await new Promise<void>((resolve) => {
      const end = client.onState(({ kind }) => {
        if (kind !== 'open' || asked < 3) return;
        end();
        resolve();
      });
    });
    valve.open();
    expect(textOf(await read)).toBe(whole);
  });

  test('that is not accepted, and has no other, is told to everything that waits', async () => {
    const client = open({ token: 'no.such.token' });
    const turn = client.send({ text: 'Question?' });
    await expect(turn.ended).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(client.state).toMatchObject({ kind: 'refused', error: { code: 'unauthenticated' } });
  });

  test('does not help to an agent that does not exist', async () => {
    const client = open({ agentId: 'nobody' });
    await expect(client.send({ text: 'Question?' }).ended).rejects.toMatchObject({ code: 'agent_not_found' });
  });
});
