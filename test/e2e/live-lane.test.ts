// Two gateways and two workers, each a process of its own, and a Redis between them: the normal case beyond one machine.
// Text comes token by token, to every gateway; Redis killed under a running answer costs latency and nothing else.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Delta } from '../../src/protocol/events.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import { answerOf, terminalOf } from '../../src/protocol/transcript.ts';
import { answer, createUpstream, createValve, type Upstream } from '../../testing/upstream/upstream.ts';
import { launchGateway, launchWorker, type CandorProcess, type GatewayProcess } from '../candor-process.ts';
import { createChatClient, type ChatClient } from '../chat-client.ts';
import { describeWithRedis } from '../describe-with-redis.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { newConversationId, newTurnId } from '../stack.ts';

jest.setTimeout(120_000);

const chunks = Array.from({ length: 60 }, (_, n) => `piece ${n}, `);
const whole = chunks.join('');
const secret = randomUUID();

describeWithRedis('two gateways and two workers with a Redis between them', () => {
  let upstream: Upstream;
  let redis: RedisServer;
  let gateways: readonly [GatewayProcess, GatewayProcess];
  let workers: readonly CandorProcess[];
  beforeAll(async () => {
    [upstream, redis] = await Promise.all([createUpstream(), startRedis()]);
    const env = { REDIS_URL: redis.url };
    const options = { taskQueue: `lane-${randomUUID()}`, upstreamUrl: upstream.url, env };
    workers = await Promise.all([launchWorker(options), launchWorker(options)]);
    gateways = await Promise.all([launchGateway(options, secret), launchGateway(options, secret)]);
    await Promise.all([...workers, ...gateways].map(({ ready }) => ready));
    await Promise.all([...workers, ...gateways].map((one) => one.until(/live lane: Redis at redis:\/\/127\.0\.0\.1/)));
  });
  afterAll(async () => {
    await Promise.all([...workers, ...gateways].map((one) => one.close()));
    await Promise.all([upstream.close(), redis.close()]);
  });
  const connect = async (gateway: GatewayProcess): Promise<ChatClient> =>
    createChatClient({ url: gateway.url, agentId: 'operator', token: await gateway.token() });
  const lane = async (gateway: GatewayProcess): Promise<unknown> => {
    const response = await fetch(`${gateway.url}/readyz`, {
      headers: { authorization: `Bearer ${await gateway.token()}` },
    });
    const { ready, parts } = (await response.json()) as { ready: boolean; parts: { lane: unknown } };
    return { ready, lane: parts.lane };
  };
  const deltasOf = (client: ChatClient, turnId: TurnId): readonly Delta[] =>
    client.events(turnId).filter((event) => event.type === 'delta');
  const textOf = (client: ChatClient, turnId: TurnId): string =>
    deltasOf(client, turnId)
      .map(({ text }) => text)
      .join('');
  const untilText = (client: ChatClient, turnId: TurnId, text: string): Promise<unknown> =>
    client.until(() => answerOf(client.transcript(turnId)) === text);

  test('text comes in small pieces while the model’s call is open, on both gateways', async () => {
    const valve = createValve();
    upstream.chat.enqueue(answer(chunks, { valve }));
    const [ada, also] = (await Promise.all(gateways.map(connect))) as [ChatClient, ChatClient];
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    ada.message(turnId, conversationId, 'How do I restart a job?');
    await ada.untilEvent(turnId, 'agent_thinking');
    also.send({ type: 'resume', turnId });
    await also.untilEvent(turnId, 'agent_thinking');
    let shown = '';
    for (const chunk of chunks.slice(0, -1)) {
      valve.pass(1);
      shown += chunk;
      await Promise.all([ada, also].map((client) => untilText(client, turnId, shown)));
    }
    // A heartbeat is made once a second, and brings at most one piece of each reader's text.
    const writtenAt = upstream.calls.at(-1)?.writtenAt ?? [];
    const seconds = ((writtenAt.at(-1) ?? 0) - (writtenAt[0] ?? 0)) / 1_000;
    for (const client of [ada, also]) expect(deltasOf(client, turnId).length).toBeGreaterThan(seconds + 2);
    expect(ada.transcript(turnId).log.at(-1)?.type).toBe('agent_thinking');
    valve.open();
    for (const client of [ada, also]) {
      expect(terminalOf(await client.untilEnd(turnId))?.type).toBe('turn_completed');
      expect(textOf(client, turnId)).toBe(whole);
      client.close();
    }
  });

  test('a reader who comes in the middle, on the other gateway, is told what there was and what comes', async () => {
    const valve = createValve();
    upstream.chat.enqueue(answer(chunks, { valve }));
    const ada = await connect(gateways[0]);
    const turnId = newTurnId();
    ada.message(turnId, newConversationId(), 'How do I restart a job?');
    valve.pass(30);
    await untilText(ada, turnId, chunks.slice(0, 30).join(''));
    const late = await connect(gateways[1]);
    late.send({ type: 'resume', turnId });
    await untilText(late, turnId, chunks.slice(0, 30).join(''));
    valve.open();
    await late.untilEnd(turnId);
    expect(textOf(late, turnId)).toBe(whole);
    for (const client of [ada, late]) client.close();
  });

  test('Redis is killed in the middle of an answer: it is whole, each character once, and the lane comes back', async () => {
    expect(await Promise.all(gateways.map(lane))).toEqual(
      Array(2).fill({ ready: true, lane: { kind: 'redis', connected: true } }),
    );
    const valve = createValve();
    upstream.chat.enqueue(answer(chunks, { valve }));
    const [ada, also] = (await Promise.all(gateways.map(connect))) as [ChatClient, ChatClient];
    const turnId = newTurnId();
    ada.message(turnId, newConversationId(), 'How do I restart a job?');
    await ada.untilEvent(turnId, 'turn_accepted');
    also.send({ type: 'resume', turnId });
    valve.pass(20);
    await Promise.all([ada, also].map((client) => untilText(client, turnId, chunks.slice(0, 20).join(''))));
    await redis.kill();
    valve.pass(20);
    // The heartbeat brings it.
    await Promise.all([ada, also].map((client) => untilText(client, turnId, chunks.slice(0, 40).join(''))));
    expect(await lane(gateways[0])).toEqual({ ready: true, lane: { kind: 'redis', connected: false } });
    await redis.startAgain();
    valve.open();
    for (const client of [ada, also]) {
      expect(terminalOf(await client.untilEnd(turnId))?.type).toBe('turn_completed');
      expect(textOf(client, turnId)).toBe(whole);
      client.close();
    }
    for (const one of [...workers, ...gateways]) {
      expect(one.output).toContain('does not answer (');
    }
  });
});
