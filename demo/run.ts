// Starts the real servers, then the demonstration in a process of its own.

import { fileURLToPath } from 'node:url';
import { runWithServers } from '../test/servers.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** @param args `--record FILE`: the SVG is written there. Resolves with the exit code; 0: everything shown was true */
export const runDemo = (args: readonly string[]): Promise<number> => runWithServers(['--import', 'tsx', main, ...args]);
