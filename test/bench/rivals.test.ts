// The benchmarks against rivals run, and those who are compared are what they are said to be.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openArena, type Arena } from '../../bench/arena/arena.ts';
import { candor, candorRedis, isCandor, rival } from '../../bench/arena/choices.ts';
import { measureCost } from '../../bench/cost.ts';
import { measureThroughput } from '../../bench/throughput.ts';
import { measureTokens } from '../../bench/tokens.ts';

const order = { tokens: 60, paceMs: 5, latencies: false };

let arena: Arena;
beforeAll(async () => {
  arena = await openArena([candor, candorRedis, rival]);
}, 180_000);
afterAll(() => arena.close(), 60_000);

test('I3: tokens, cost and throughput are measured side by side', async () => {
  for (const measure of [measureTokens, measureCost, measureThroughput]) {
    const { tables, bars, charts } = await measure(arena, { quick: true });
    for (const { name } of arena.arms) expect(JSON.stringify(tables)).toContain(name);
    for (const { bar, measured } of bars) expect(`${bar} ${measured}`).not.toMatch(/NaN|undefined/);
    expect(charts?.length).toBeGreaterThan(0);
  }
}, 180_000);

test('a rival’s text goes through its workflow, nothing of Candor’s does, and nobody loses or doubles a character', async () => {
  for (const arm of arena.arms) {
    const { text, turnIds } = await arm.turns({ ...order, turns: 2, atOnce: 2, moreReaders: 1 });
    await arena.settle(turnIds);
    expect(text).toEqual({ characters: 2 * 2 * order.tokens * ' 0000'.length, lost: 0, doubled: 0, wrong: 0 });
    const names = await arena.messages(turnIds[0] ?? '');
    const ofStreams = ['__temporal_workflow_stream_poll', '__temporal_workflow_stream_publish'];
    expect([...new Set(names)].sort()).toEqual(isCandor(arm) ? [] : ofStreams);
  }
}, 120_000);
