// Runs Jest against the real servers. Jest loads ES modules only when Node is told so (ADR 0006).

import { createRequire } from 'node:module';
import { runWithServers } from './servers.ts';

/** Resolves with the exit code. */
export function runTests(jestArgs: readonly string[]): Promise<number> {
  const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
  return runWithServers(['--experimental-vm-modules', '--no-warnings', jest, ...jestArgs]);
}
