// Starts the real servers, then the cuts in a process of their own.

import { fileURLToPath } from 'node:url';
import { runWithServers } from '../servers.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** Resolves with the exit code. @param args see command.ts */
export const runCutsWithServers = (args: readonly string[]): Promise<number> =>
  runWithServers(['--import', 'tsx', main, ...args]);
