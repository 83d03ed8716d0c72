// Tests that need a Redis; without one they are skipped, and their title says why.

import { describe } from '@jest/globals';
import { redisProgram, withoutRedis } from './redis-server.ts';

export function describeWithRedis(title: string, body: () => void): void {
  if (redisProgram === null) describe.skip(`${title} (${withoutRedis})`, body);
  else describe(title, body);
}
