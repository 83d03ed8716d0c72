// What a rig needs that skips time: Temporal's time-skipping server, which each rig starts for itself, and the bundled
// workflows. No Neo4j and no running Temporal.

import { join } from 'node:path';
import { locateTemporalTestServer, toCacheDir, toPlatform } from '../../src/parts/index.ts';
import type { TestServersOptions } from './test-servers.ts';
import { readVariables, type ServerAddresses } from './variables.ts';

export type TimeSkipping = Pick<ServerAddresses, 'timeSkippingServer' | 'bundleDir'>;

/** The run's when it has one, else found or fetched once. @throws PartError with one sentence when it cannot be had */
export async function locateTimeSkipping(options: TestServersOptions = {}): Promise<TimeSkipping> {
  const { env = process.env, report = () => undefined } = options;
  const found = readVariables(env);
  if (found !== null) return found;
  const platform = toPlatform(process.platform, process.arch);
  const cacheDir = toCacheDir(env, platform);
  const { path } = await locateTemporalTestServer({ cacheDir, platform, env, report });
  // Named by the hash of the sources: bundling takes seconds that the next rig does not have to spend.
  return { timeSkippingServer: path, bundleDir: join(cacheDir, 'workflow-bundles') };
}
