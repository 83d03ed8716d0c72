import { describe, expect, test } from '@jest/globals';
import { findFree } from '../../src/parts/index.ts';
import { openLiveLane } from '../../src/run/live-lane.ts';
import { createLog } from '../../src/run/log.ts';

const log = createLog('silent', null);

describe('what is said of the live lane at the start', () => {
  test('without REDIS_URL: that it is for this process alone', async () => {
    const said: string[] = [];
    const lane = await openLiveLane({ redisUrl: null, namespace: 'default', say: (line) => said.push(line), log });
    expect(said).toEqual(['live lane: in memory, for this process alone; REDIS_URL joins several']);
    expect(lane.status()).toEqual({ kind: 'memory' });
    await lane.close();
  });

  test('with a Redis that is not there: why and what it costs, without the password; the start goes on', async () => {
    const address = `127.0.0.1:${await findFree('127.0.0.1')}`;
    let say: (line: string) => void = () => undefined;
    const said = new Promise<string>((resolve) => (say = resolve));
    const redisUrl = `redis://me:pass-word@${address}`;
    const lane = await openLiveLane({ redisUrl, namespace: 'default', say: (text) => say(text), log });
    const line = await said;
    expect(line).toBe(
      `live lane: Redis at redis://${address} does not answer (ECONNREFUSED); ` +
        'until it does, text between processes comes some seconds late',
    );
    expect(lane.status()).toEqual({ kind: 'redis', connected: false });
    await lane.close();
  });
});
