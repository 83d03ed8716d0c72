import { describe, expect, test } from '@jest/globals';
import { createMemoryLane } from '../../src/live/memory.ts';
import { testLane } from './lane-suite.ts';

describe('the live lane within a process', () => {
  testLane(async () => {
    const lane = createMemoryLane();
    return { there: lane, here: lane, close: () => lane.close() };
  });

  test('says what it is', async () => {
    const lane = createMemoryLane();
    expect(lane.status()).toEqual({ kind: 'memory' });
    await lane.close();
  });
});
