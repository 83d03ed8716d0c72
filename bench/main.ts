// The process of the benchmarks: runs those that are named, prints Markdown, keeps the samples in bench/results/.

import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Benchmark, Report, Table } from './benchmark.ts';
import { firstToken } from './first-token.ts';
import { history } from './history.ts';
import { kill } from './kill.ts';
import { lane } from './lane.ts';
import { stop } from './stop.ts';

const benchmarks: readonly Benchmark[] = [firstToken, history, stop, kill, lane];
const resultsDir = fileURLToPath(new URL('results/', import.meta.url));

const names = process.argv.slice(2);
const unknown = names.filter((name) => !benchmarks.some((benchmark) => benchmark.name === name));
if (unknown.length > 0) {
  const known = benchmarks.map(({ name }) => name).join(', ');
  console.error(`unable to run ${unknown.join(', ')}; the benchmarks are ${known}`);
  process.exitCode = 1;
} else {
  for (const benchmark of benchmarks) {
    if (names.length === 0 || names.includes(benchmark.name)) await run(benchmark);
  }
}

async function run(benchmark: Benchmark): Promise<void> {
  const { name } = benchmark;
  const machine = { node: process.version, cores: availableParallelism(), loadBefore: loadavg()[0] };
  const report = await benchmark.run();
  console.log(toMarkdown(report));
  console.log(`Node ${machine.node}, ${machine.cores} cores, load ${machine.loadBefore?.toFixed(1)} before the run\n`);
  await mkdir(resultsDir, { recursive: true });
  await writeFile(`${resultsDir}${name}.json`, `${JSON.stringify({ name, machine, ...report }, null, 2)}\n`);
}

function toMarkdown({ tables, bars }: Report): string {
  const barTable: Table = {
    title: 'Bars',
    head: ['bar', 'measured', 'met'],
    rows: bars.map(({ bar, measured, met }) => [bar, measured, met ? 'yes' : 'no']),
  };
  return [...tables, barTable].map(toTable).join('\n');
}

function toTable({ title, head, rows }: Table): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [`### ${title}\n`, line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n');
}
