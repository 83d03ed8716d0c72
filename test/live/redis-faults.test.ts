// Redis may be killed, wiped, slow, frozen, full or never there. Publishing goes on as if nothing were; what arrives is
// right; what does not is left to the durable side, which test/e2e/live-lane.test.ts shows.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { findFree } from '../../src/parts/index.ts';
import { createFaultProxy } from '../chaos/fault-proxy.ts';
import { describeWithRedis } from '../describe-with-redis.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { createScript, listen } from './lane-events.ts';
import { createLane, type LaneUnderTest } from './redis-lanes.ts';
import { createSlowNetwork } from './slow-network.ts';

describeWithRedis('the live lane when its Redis', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });
  const start = async (...args: Parameters<typeof startRedis>): Promise<RedisServer> => {
    const redis = await startRedis(...args);
    closers.push(() => redis.close());
    return redis;
  };
  const open = (...args: Parameters<typeof createLane>): LaneUnderTest => {
    const lane = createLane(...args);
    closers.push(() => lane.close());
    return lane;
  };
  const connect = async (...args: Parameters<typeof createLane>): Promise<LaneUnderTest> => {
    const lane = open(...args);
    await lane.untilReport('connected');
    return lane;
  };

  test('is killed in the middle and started again: everything arrives, once it is back', async () => {
    const redis = await start();
    const [there, here] = [await connect(redis.url), await connect(redis.url)];
    const { turnId, begin, delta } = createScript();
    const heard = listen(here, turnId);
    for (const event of [...begin, delta('A job ')]) there.publish(event);
    await heard.untilAnswer('A job ');
    await redis.kill();
    await Promise.all([there.untilReport('away'), here.untilReport('away')]);
    expect([there.status(), here.status()]).toEqual(Array(2).fill({ kind: 'redis', connected: false }));
    there.publish(delta('is '));
    await redis.startAgain();
    await heard.untilAnswer('A job is ');
    there.publish(delta('restarted.'));
    await heard.untilAnswer('A job is restarted.');
    await Promise.all([there.untilReport('connected'), here.untilReport('connected')]);
    expect(here.status()).toEqual({ kind: 'redis', connected: true });
  });

  test('is killed again and again under a running answer: each piece arrives', async () => {
    const redis = await start();
    const [there, here] = [await connect(redis.url), await connect(redis.url)];
    const { turnId, begin, delta } = createScript();
    const heard = listen(here, turnId);
    for (const event of begin) there.publish(event);
    await heard.until(({ events }) => events.length >= 3);
    let whole = '';
    const say = (): void => {
      const word = `${whole.length} `;
      whole += word;
      there.publish(delta(word));
    };
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 50; n++) {
        say();
        await new Promise((resolve) => setImmediate(resolve));
      }
      const killed = redis.kill();
      for (let n = 0; n < 50; n++) {
        say();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await killed;
      await redis.startAgain();
      say();
      await heard.untilAnswer(whole);
    }
  });

  test('is wiped: what comes still arrives, and who comes late has the rest to fetch elsewhere', async () => {
    const redis = await start();
    const [there, here] = [await connect(redis.url), await connect(redis.url)];
    const { turnId, begin, delta } = createScript();
    const heard = listen(here, turnId);
    for (const event of [...begin, delta('A job ')]) there.publish(event);
    await heard.untilAnswer('A job ');
    await redis.client.flushall();
    there.publish(delta('is restarted.'));
    await heard.untilAnswer('A job is restarted.');
    const late = listen(here, turnId);
    await late.until(({ events }) => events.length === 1);
    expect(late.events).toMatchObject([{ type: 'delta', offset: 6, text: 'is restarted.' }]);
  });

  test('is slow: everything arrives, later', async () => {
    const redis = await start();
    const network = await createSlowNetwork(redis.port, 60);
    closers.push(() => network.close());
    const url = `redis://127.0.0.1:${network.port}`;
    const [there, here] = [await connect(url), await connect(url)];
    const { turnId, begin, delta } = createScript();
    const heard = listen(here, turnId);
    for (const event of begin) there.publish(event);
    const words = Array.from({ length: 200 }, (_, n) => `${n} `);
    for (const word of words) {
      there.publish(delta(word));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await heard.untilAnswer(words.join(''));
  });

  test('stops answering: the connection is given up, nothing grows, and all goes on when it answers', async () => {
    const redis = await start();
    const proxy = await createFaultProxy({ target: { host: '127.0.0.1', port: redis.port } });
    closers.push(() => proxy.close());
    const there = await connect(`redis://127.0.0.1:${proxy.port}`, { silenceMs: 400 });
    const here = await connect(redis.url);
    const { turnId, begin, delta } = createScript();
    const heard = listen(here, turnId);
    for (const event of [...begin, delta('A job ')]) there.publish(event);
    await heard.untilAnswer('A job ');
    proxy.hold();
    there.publish(delta('is '));
    expect(await there.untilReport('away')).toEqual({ state: 'away', reason: 'it stopped answering' });
    there.publish(delta('restarted.'));
    proxy.heal();
    await heard.untilAnswer('A job is restarted.');
  });

  test('is not there at the start: it is said, nothing fails, and it is used when it comes', async () => {
    const port = await findFree('127.0.0.1');
    const lane = open(`redis://127.0.0.1:${port}`);
    expect(await lane.untilReport('away')).toEqual({ state: 'away', reason: 'ECONNREFUSED' });
    const { turnId, begin, delta } = createScript();
    const heard = listen(lane, turnId);
    for (const event of begin) lane.publish(event);
    lane.requestStop(turnId, '2026-01-01T00:00:00.000Z');
    expect(heard.events).toEqual(begin);
    await start({ port: `${port}` });
    await lane.untilReport('connected');
    const other = await connect(`redis://127.0.0.1:${port}`);
    const there = listen(other, turnId);
    lane.publish(delta('text'));
    await there.untilAnswer('text');
  });

  test('has no room: what comes still arrives, and it is said', async () => {
    const redis = await start();
    const [there, here] = [await connect(redis.url), await connect(redis.url)];
    const { turnId, begin, delta } = createScript();
    const heard = listen(here, turnId);
    for (const event of begin) there.publish(event);
    await heard.until(({ events }) => events.length >= 3);
    await redis.client.config('SET', 'maxmemory', '1');
    there.publish(delta('text'));
    await heard.untilAnswer('text');
    expect(await there.untilReport('refused')).toEqual({ state: 'refused', reason: 'OOM' });
    await redis.client.config('SET', 'maxmemory', '0');
    there.publish(delta(' and more'));
    await heard.untilAnswer('text and more');
    await there.untilReport('connected');
  });

  test('asks for a password: the right one opens it, a wrong one is not told to anybody', async () => {
    const redis = await start({ requirepass: 'right-secret' });
    const withPassword = (password: string): string => `redis://:${password}@127.0.0.1:${redis.port}`;
    const [there, here] = [await connect(withPassword('right-secret')), await connect(withPassword('right-secret'))];
    const { turnId, begin } = createScript();
    const heard = listen(here, turnId);
    for (const event of begin) there.publish(event);
    await heard.until(({ events }) => events.length === 3);
    const refused = open(withPassword('wrong-secret'));
    expect(await refused.untilReport('away')).toEqual({ state: 'away', reason: 'WRONGPASS' });
    expect(JSON.stringify(refused.reports)).not.toContain('secret');
  });

  test('is there or not: a closed lane lets the process end', async () => {
    const redis = await start();
    const nobody = await findFree('127.0.0.1');
    const script = fileURLToPath(new URL('ends-by-itself.ts', import.meta.url));
    // Without an end of its own it would run into the limit of the test.
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      script,
      redis.url,
      `redis://127.0.0.1:${nobody}`,
    ]);
    expect(stdout.trim().split('\n')).toEqual(['connected', 'away', 'closed']);
  });
});
