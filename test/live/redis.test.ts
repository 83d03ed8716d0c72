import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithRedis } from '../describe-with-redis.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { createScript, listen } from './lane-events.ts';
import { testLane } from './lane-suite.ts';
import { createLane, namespace, type LaneUnderTest } from './redis-lanes.ts';

describeWithRedis('the live lane between processes', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());
  const lanes: LaneUnderTest[] = [];
  const open = async (...args: Partial<Parameters<typeof createLane>>): Promise<LaneUnderTest> => {
    const [url = redis.url, limits = {}] = args;
    const lane = createLane(url, limits);
    lanes.push(lane);
    await lane.untilReport('connected');
    return lane;
  };
  afterEach(async () => {
    await Promise.all(lanes.splice(0).map((lane) => lane.close()));
  });

  describe('does what any lane does', () => {
    testLane(async () => {
      const [there, here] = [createLane(redis.url), createLane(redis.url)];
      await Promise.all([there.untilReport('connected'), here.untilReport('connected')]);
      return {
        there,
        here,
        async close() {
          await Promise.all([there.close(), here.close()]);
        },
      };
    });
  });

  test('within a process it does not go through Redis', async () => {
    const lane = await open();
    const { turnId, begin, delta } = createScript();
    const heard = listen(lane, turnId);
    for (const event of [...begin, delta('text')]) lane.publish(event);
    expect(heard.answer).toBe('text');
  });

  test('a thousand who follow a turn are one subscription', async () => {
    const [there, here] = [await open(), await open()];
    const { turnId, begin, delta } = createScript();
    const all = Array.from({ length: 1_000 }, () => listen(here, turnId));
    for (const event of [...begin, delta('text')]) there.publish(event);
    await Promise.all(all.map((heard) => heard.untilAnswer('text')));
    const name = `candor:${namespace}:{${turnId}}:lane`;
    expect(await redis.client.pubsub('NUMSUB', name)).toEqual([name, 1]);
    for (const heard of all) heard.end();
    const asked = listen(here, createScript().turnId);
    await redis.client.ping();
    asked.end();
  });

  test('a process has two connections, however many turns it follows', async () => {
    const lane = await open();
    for (let n = 0; n < 100; n++) listen(lane, createScript().turnId);
    const clients = String(await redis.client.client('LIST'));
    expect(clients.match(/name=candor-lane-(in|out)/g)?.sort()).toEqual([
      'name=candor-lane-in',
      'name=candor-lane-out',
    ]);
  });

  test('what a turn leaves is bounded in length and in time', async () => {
    const lane = await open(redis.url, { maxEntries: 100, idleMs: 50_000, endedMs: 20_000 });
    const { turnId, begin, delta, last } = createScript();
    const heard = listen(await open(), turnId);
    for (const event of begin) lane.publish(event);
    for (let n = 0; n < 500; n++) {
      lane.publish(delta(`${n} `));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await heard.until(({ answer }) => answer.endsWith('499 '));
    const name = `candor:${namespace}:{${turnId}}:lane`;
    // Trimmed by whole nodes: one node more than wished for, at most.
    expect(await redis.client.xlen(name)).toBeLessThanOrEqual(200);
    expect(await redis.client.pttl(name)).toBeGreaterThan(20_000);
    expect(await redis.client.pttl(name)).toBeLessThanOrEqual(50_000);
    lane.publish(last);
    await heard.until(({ events }) => events.at(-1)?.type === 'audit_started');
    expect(await redis.client.pttl(name)).toBeLessThanOrEqual(20_000);
  });

  test('foreign entries and messages under its names are left out', async () => {
    const [there, here] = [await open(), await open()];
    const { turnId, begin } = createScript();
    const name = `candor:${namespace}:{${turnId}}:lane`;
    await redis.client.xadd(name, '*', 'entry', 'no JSON');
    await redis.client.xadd(name, '*', 'other', '{"v":1}');
    await redis.client.xadd(name, '*', 'entry', '{"v":2,"conversationId":"c","events":[{"type":"delta","time":""}]}');
    const heard = listen(here, turnId);
    await redis.client.publish(name, 'nothing of ours');
    await redis.client.publish(name, '1-1 somebody {"v":1,"conversationId":"c","events":[{"type":"delta","time":""}]}');
    await redis.client.publish(`candor:${namespace}:stops`, 'nothing');
    for (const event of begin) there.publish(event);
    await heard.until(({ events }) => events.length === 3);
    expect(heard.events).toEqual(begin);
  });
});
