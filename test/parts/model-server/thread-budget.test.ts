import { expect, test } from '@jest/globals';
import { readCpuSample, toForeignLoad, toThreads } from '../../../src/parts/model-server/thread-budget.ts';

test.each([
  [2, 2, 0, 2],
  [2, 2, 0.3, 2],
  [2, 2, 0.5, 1],
  [2, 2, 2, 1],
  [1, 1, 1, 1],
  [8, 8, 1.2, 7],
  [4, 8, 1, 4],
])('of %i threads on %i cores, others using %d, are left %i', (maxThreads, cores, load, threads) => {
  expect(toThreads(maxThreads, cores, load)).toBe(threads);
});

test('what this process computes itself is no foreign load', () => {
  const before = { atMs: 0, machineBusyMs: 1000, ownMs: 100 };
  expect(toForeignLoad(before, { atMs: 500, machineBusyMs: 2000, ownMs: 1000 })).toBeCloseTo(0.2);
  expect(toForeignLoad(before, { atMs: 500, machineBusyMs: 1100, ownMs: 300 })).toBe(0);
  expect(toForeignLoad(before, before)).toBe(0);
});

test('the counters of this machine grow with the work of this process', () => {
  const before = readCpuSample();
  while (readCpuSample().ownMs - before.ownMs < 20);
  const after = readCpuSample();
  expect(after.atMs).toBeGreaterThan(before.atMs);
  expect(after.machineBusyMs).toBeGreaterThanOrEqual(before.machineBusyMs);
});
