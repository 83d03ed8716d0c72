// Measures one benchmark: prints what it gave as Markdown and keeps it as a result. Clock, machine and commit are handed
// in.

import type { Benchmark } from './benchmark.ts';
import type { Machine } from './machine.ts';
import { toMarkdown } from './markdown.ts';
import { writeResult, type Result } from './results.ts';

export interface MeasureOptions {
  readonly root: string;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly source: Pick<Result, 'commit' | 'isChanged'>;
  readonly nowMs: () => number;
  readonly say: (text: string) => void;
}

/** @throws Error of the benchmark; nothing is kept then */
export async function measureOne(benchmark: Benchmark, options: MeasureOptions): Promise<void> {
  const { root, quick, machine, source, nowMs, say } = options;
  const { name } = benchmark;
  const beganMs = nowMs();
  const report = await benchmark.run({ quick });
  const tookS = Math.round((nowMs() - beganMs) / 1_000);
  const measuredAt = new Date(beganMs).toISOString();
  const { node, cores, loadBefore } = machine;
  say(toMarkdown(report));
  say(`Node ${node}, ${cores} cores, load ${loadBefore.toFixed(1)} before the run${quick ? ', quick' : ''}`);
  say(`wrote ${await writeResult(root, { name, quick, measuredAt, tookS, ...source, machine, ...report })}`);
}
