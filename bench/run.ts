// Starts the real servers, then the benchmarks in a process of their own.

import { fileURLToPath } from 'node:url';
import { runWithServers } from '../test/servers.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** @param names of benchmarks; none: all. Resolves with the exit code */
export const runBenchmarks = (names: readonly string[]): Promise<number> =>
  runWithServers(['--import', 'tsx', main, ...names]);
