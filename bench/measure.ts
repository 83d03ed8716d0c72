// A process that measures one benchmark, prints what it gave and keeps it. Arguments: its name, the load of the machine
// before the command began, and `--quick`.

import { fileURLToPath } from 'node:url';
import { benchmarks } from './main.ts';
import { readCommit, readMachine } from './machine.ts';
import { toMarkdown } from './markdown.ts';
import { writeResult } from './results.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, load, option] = process.argv.slice(2);
const quick = option === '--quick';
const entry = benchmarks.find((one) => one.name === name);
if (entry === undefined) throw new Error(`unable to measure ${name}; no benchmark has that name`);

const benchmark = await entry.load();
const machine = await readMachine(process.env, Number(load));
const measuredAt = new Date().toISOString();
const began = performance.now();
const report = await benchmark.run({ quick });
const tookS = Math.round((performance.now() - began) / 1_000);
console.log(toMarkdown(report));
const { node, cores, loadBefore } = machine;
console.log(`Node ${node}, ${cores} cores, load ${loadBefore.toFixed(1)} before the run${quick ? ', quick' : ''}`);
const about = { name: entry.name, quick, measuredAt, tookS, ...(await readCommit(root)), machine };
console.log(`wrote ${await writeResult(root, { ...about, ...report })}`);
// A benchmark that leaves something open would keep the next one from starting.
process.exit();
