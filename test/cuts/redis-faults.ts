// What happens to Redis while clients are cut: killed and started again empty, wiped, or stopped for a while.

import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../e2e/seeded-random.ts';
import type { RedisServer } from '../redis-server.ts';

export const redisFaults = {
  kill: 'SIGKILL, started again empty',
  wipe: 'FLUSHALL',
  pause: 'answers nothing for a while',
} as const;

export type RedisFault = keyof typeof redisFaults;

/** Resolves when Redis serves again. */
export async function strikeRedis(redis: RedisServer, fault: RedisFault, random: Random): Promise<void> {
  const ms = Math.floor(100 + random() * 1_400);
  switch (fault) {
    case 'kill':
      await redis.kill();
      await delay(ms);
      return redis.startAgain();
    case 'wipe':
      await redis.client.flushall();
      return;
    case 'pause':
      await redis.client.call('CLIENT', 'PAUSE', String(ms), 'ALL');
      return delay(ms);
  }
}
