/**
 * How many threads the model may compute with, by what the rest of the machine leaves over. llama.cpp's threads wait for
 * each other by spinning: with one thread more than there are free cores, one other busy process made generation four to
 * ten times slower than a single thread does it (measured on two cores), so the number follows the load.
 */
import os from 'node:os';

/** Counters that only grow, in milliseconds of CPU time; `atMs` is any clock that does the same. */
export type CpuSample = { readonly atMs: number; readonly machineBusyMs: number; readonly ownMs: number };

export type ThreadBudgetOptions = {
  readonly maxThreads: number;
  readonly cores: number;
  readonly sample: () => CpuSample;
  readonly apply: (threads: number) => void;
};

const SAMPLE_INTERVAL_MS = 500;
/** What others may use of the last core before it is left to them. */
const TOLERATED_SHARE = 0.35;

/** Cores that other processes kept busy between two samples. */
export function toForeignLoad(before: CpuSample, after: CpuSample): number {
  const passedMs = after.atMs - before.atMs;
  if (passedMs <= 0) return 0;
  const foreignMs = after.machineBusyMs - before.machineBusyMs - (after.ownMs - before.ownMs);
  return Math.max(0, foreignMs / passedMs);
}

export function toThreads(maxThreads: number, cores: number, foreignLoad: number): number {
  return Math.max(1, Math.min(maxThreads, Math.floor(cores - foreignLoad + TOLERATED_SHARE)));
}

export function readCpuSample(): CpuSample {
  const own = process.cpuUsage();
  const machineBusyMs = os.cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  return { atMs: performance.now(), machineBusyMs, ownMs: (own.user + own.system) / 1000 };
}

/** Applies a number at once and then with each sample. Never keeps the process alive. */
export function followThreadBudget({ maxThreads, cores, sample, apply }: ThreadBudgetOptions): void {
  let before = sample();
  let smoothedLoad = 0;
  apply(maxThreads);
  setInterval(() => {
    const after = sample();
    smoothedLoad = (smoothedLoad + toForeignLoad(before, after)) / 2;
    before = after;
    apply(toThreads(maxThreads, cores, smoothedLoad));
  }, SAMPLE_INTERVAL_MS).unref();
}
