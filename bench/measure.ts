// The process of one benchmark. Arguments: its name, the load of the machine before the command began, and `--quick`.

import { fileURLToPath } from 'node:url';
import { readCommit, readMachine } from './machine.ts';
import { benchmarks } from './main.ts';
import { measureOne } from './measure-one.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, load, option] = process.argv.slice(2);
const entry = benchmarks.find((one) => one.name === name);
if (entry === undefined) throw new Error(`unable to measure ${name}; no benchmark has that name`);

const benchmark = await entry.load();
if (benchmark.name !== name) throw new Error(`unable to measure ${name}; it calls itself ${benchmark.name}`);

await measureOne(benchmark, {
  root,
  quick: option === '--quick',
  machine: await readMachine(process.env, Number(load)),
  source: await readCommit(root),
  nowMs: Date.now,
  say: console.log,
});
// A benchmark that leaves something open would keep the next one from starting.
process.exit();
