/** Folders and contexts of a test's own, removed when it ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { toPlatform, type PartsContext, type PartsEvent } from '../../src/parts/index.ts';

/** Makes folders that are removed after each test of the file. */
export function useFolders(): () => Promise<string> {
  const made: string[] = [];
  afterEach(async () => {
    for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
  });
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'candor-parts-'));
    made.push(folder);
    return folder;
  };
}

/** A context that keeps what was reported. */
export function createContext(
  cacheDir: string,
  env: PartsContext['env'] = process.env,
): PartsContext & { readonly events: PartsEvent[] } {
  const events: PartsEvent[] = [];
  return {
    cacheDir,
    env,
    events,
    platform: toPlatform(process.platform, process.arch),
    report: (event) => {
      events.push(event);
    },
  };
}
