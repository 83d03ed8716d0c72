// One user, several devices, any gateway: what one device does the others see, from its first event to the verdict that
// comes minutes later; what another user watches stays empty. With one gateway, with two that Redis joins, and with two
// that nothing joins but the graph and the engine.

import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createRedisLane } from '../../src/live/redis.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import type { LiveLane } from '../../src/protocol/ports.ts';
import { answerOf, terminalOf } from '../../src/protocol/transcript.ts';
import { answer, createValve, verdict } from '../../testing/upstream/upstream.ts';
import type { ChatClient } from '../chat-client.ts';
import { redisProgram, startRedis, withoutRedis, type RedisServer } from '../redis-server.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { createReplies, questionOf, type Replies } from './replies.ts';

jest.setTimeout(120_000);

interface Site {
  readonly first: Stack;
  readonly second: Stack;
  close(): Promise<void>;
}

async function oneGateway(): Promise<Site> {
  const stack = await startStack();
  return { first: stack, second: stack, close: () => stack.close() };
}

async function twoGateways(redis: RedisServer | null): Promise<Site> {
  const lanes: LiveLane[] = [];
  const decorate = {
    lane(given: LiveLane): LiveLane {
      if (redis === null) return given;
      const lane = createRedisLane({ url: redis.url, namespace: 'devices', report: () => undefined });
      lanes.push(lane);
      return lane;
    },
  };
  const first = await startStack({ decorate });
  const { taskQueue } = first.options.temporal;
  const second = await startStack({ roles: 'gateway', upstream: first.upstream, taskQueue, decorate });
  return {
    first,
    second,
    async close() {
      await second.close();
      await first.close();
      await Promise.all(lanes.map((lane) => lane.close()));
      await redis?.close();
    },
  };
}

const sites: readonly (readonly [string, () => Promise<Site>])[] = [
  ['one gateway', oneGateway],
  ...(redisProgram === null
    ? []
    : ([['two gateways that Redis joins', async () => twoGateways(await startRedis())]] as const)),
  ['two gateways that nothing joins', () => twoGateways(null)],
];
if (redisProgram === null) test.skip(`two gateways that Redis joins (${withoutRedis})`, () => undefined);

describe.each(sites)('%s', (_name, start) => {
  let site: Site;
  let replies: Replies;
  beforeAll(async () => {
    site = await start();
    replies = createReplies(site.first.upstream);
  });
  afterAll(() => site.close());
  const sockets: ChatClient[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });

  const connect = async (stack: Stack, user = 'ada'): Promise<ChatClient> => {
    const socket = await stack.connect({ user });
    sockets.push(socket);
    return socket;
  };
  /** Another device of the user's, at the other gateway, that watches the conversation. */
  const watch = async (conversationId: ConversationId, user?: string): Promise<ChatClient> => {
    const device = await connect(site.second, user);
    device.send({ type: 'watch', conversationId });
    await device.until((frame) => frame.type === 'conversation');
    return device;
  };
  const say = (device: ChatClient, conversationId: ConversationId, chunks: readonly string[]) => {
    const turnId = newTurnId();
    const valve = replies.held(questionOf(turnId), chunks);
    device.message(turnId, conversationId, questionOf(turnId));
    return { turnId, valve };
  };
  const hasText = (device: ChatClient, turnId: TurnId, text: string) =>
    device.until(() => answerOf(device.transcript(turnId)) === text);

  test('a message of one device is on the others with every event and its text while it comes', async () => {
    const conversationId = newConversationId();
    const here = await connect(site.first);
    const there = await watch(conversationId);
    const { turnId, valve } = say(here, conversationId, ['It is ', 'restarted ', 'by hand.']);
    valve.pass(1);
    await Promise.all([hasText(here, turnId, 'It is '), hasText(there, turnId, 'It is ')]);
    valve.pass(1);
    await hasText(there, turnId, 'It is restarted ');
    valve.open();
    expect((await there.untilEnd(turnId)).log).toEqual((await here.untilEnd(turnId)).log);
    expect(answerOf(there.transcript(turnId))).toBe('It is restarted by hand.');
    // The next one too, and a device that comes later does not get what has ended.
    const late = await watch(conversationId);
    const next = say(here, conversationId, ['So.']);
    next.valve.open();
    await Promise.all([there.untilEnd(next.turnId), late.untilEnd(next.turnId)]);
    expect(late.events(turnId).filter(({ type }) => !type.startsWith('audit_'))).toEqual([]);
  });

  test('any device stops the turn of another one', async () => {
    const conversationId = newConversationId();
    const here = await connect(site.first);
    const there = await watch(conversationId);
    const { turnId, valve } = say(here, conversationId, ['It is ', 'never said.']);
    valve.pass(1);
    await hasText(there, turnId, 'It is ');
    there.send({ type: 'cancel', turnId });
    const [a, b] = await Promise.all([here.untilEnd(turnId), there.untilEnd(turnId)]);
    expect(terminalOf(b)).toMatchObject({ type: 'turn_cancelled', by: 'user' });
    expect(b.log).toEqual(a.log);
  });

  test('any device takes back a message that waits', async () => {
    const conversationId = newConversationId();
    const here = await connect(site.first);
    const there = await watch(conversationId);
    const running = say(here, conversationId, ['First.']);
    await here.untilEvent(running.turnId, 'agent_thinking');
    const waiting = say(here, conversationId, ['Second.']);
    await there.untilEvent(waiting.turnId, 'turn_queued');
    there.send({ type: 'withdraw', turnId: waiting.turnId });
    const [a, b] = await Promise.all([here.untilEnd(waiting.turnId), there.untilEnd(waiting.turnId)]);
    expect(terminalOf(a)).toMatchObject({ type: 'turn_cancelled', by: 'withdrawn' });
    expect(b.log).toEqual(a.log);
    running.valve.open();
    await there.untilEnd(running.turnId);
  });

  test('a verdict that comes later reaches every device that watches', async () => {
    const conversationId = newConversationId();
    const valve = createValve();
    // Audits of earlier turns may be under way: those with another question are judged at once.
    const asked: string[] = [];
    const judged = JSON.stringify({ isIncorrect: false, confidence: 0.1, reason: 'Nothing is wrong.' });
    site.first.upstream.audit.always((_nth, { messages }) =>
      asked.some((question) => JSON.stringify(messages).includes(question))
        ? answer([judged], { valve })
        : verdict(false, 0.1),
    );
    const here = await connect(site.first);
    const there = await watch(conversationId);
    const { turnId, valve: said } = say(here, conversationId, ['So.']);
    asked.push(turnId);
    said.open();
    await there.untilEnd(turnId);
    const late = await watch(conversationId);
    valve.open();
    const verdicts = await Promise.all(
      [here, there, late].map((device) => device.untilEvent(turnId, 'audit_completed')),
    );
    expect(new Set(verdicts.map(({ auditId }) => auditId)).size).toBe(1);
    expect(verdicts[0]).toMatchObject({ verdict: 'accepted' });
  });

  test('another user who watches the same conversation sees nothing of it, and shows nothing to it', async () => {
    const conversationId = newConversationId();
    const here = await connect(site.first);
    const own = say(here, conversationId, ['Ada’s own.']);
    own.valve.open();
    await here.untilEnd(own.turnId);
    const [there, eve] = await Promise.all([watch(conversationId), watch(conversationId, 'eve')]);
    const stolen = newTurnId();
    eve.message(stolen, conversationId, 'What did Ada ask?');
    await eve.untilEnd(stolen);
    const { turnId, valve } = say(here, conversationId, ['Ada’s again.']);
    valve.open();
    await there.untilEnd(turnId);
    // Frames of one socket keep their order: behind this one nothing can be under way to Eve.
    eve.send({ type: 'resume', turnId });
    await eve.untilError(turnId);
    const turns = (device: ChatClient) => device.frames.flatMap((frame) => ('turnId' in frame ? [frame.turnId] : []));
    expect(new Set(turns(eve))).toEqual(new Set([stolen]));
    expect(turns(there)).not.toContain(stolen);
    expect(JSON.stringify(eve.frames)).not.toContain('Ada’s');
  });
});
