// One product per data folder, and what it leaves there while it runs: a lock that dies with its process, and
// `running.json`, by which other commands find it.

import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readStartTime } from '../parts/index.ts';
import { StartError } from './start-error.ts';

/** What `running.json` holds; readable by its owner only, because it has the graph's password. */
export interface RunningFile {
  readonly pid: number;
  readonly url: string;
  readonly temporal: { readonly address: string; readonly ui: string | null; readonly namespace: string };
  readonly neo4j: { readonly uri: string; readonly user: string; readonly password: string };
  readonly model: { readonly baseUrl: string | null; readonly model: string | null; readonly state: string };
  readonly startedAt: string;
}

interface Holder {
  readonly pid: number;
  readonly startTime: string;
}

/** @returns the release. @throws StartError when another process runs on the same data */
export async function lockDataFolder(dataDir: string): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'lock.json');
  const holder: Holder = { pid: process.pid, startTime: (await readStartTime(process.pid)) ?? '' };
  for (let tries = 0; ; tries++) {
    try {
      const handle = await open(file, 'wx', 0o600);
      await handle.writeFile(JSON.stringify(holder));
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const other = await readHolder(file);
    if (other !== null && (await readStartTime(other.pid)) === other.startTime) {
      throw new StartError(
        `unable to start; Candor already runs on ${dataDir} as process ${other.pid}: stop it, or set CANDOR_DATA_DIR`,
      );
    }
    if (tries > 5) throw new StartError(`unable to start; ${file} cannot be taken over: remove it`);
    // Its process is gone: the lock is nobody's.
    await rm(file, { force: true });
  }
}

async function readHolder(file: string): Promise<Holder | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holder;
  } catch (error) {
    // Removed meanwhile, or its writer was killed between creating and writing.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

export async function writeRunning(dataDir: string, running: RunningFile): Promise<void> {
  const file = join(dataDir, 'running.json');
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(running, null, 2), { mode: 0o600 });
  await rename(draft, file);
}

export const removeRunning = (dataDir: string): Promise<void> => rm(join(dataDir, 'running.json'), { force: true });

/** `null` when nothing runs on this data. */
export async function readRunning(dataDir: string): Promise<RunningFile | null> {
  try {
    return JSON.parse(await readFile(join(dataDir, 'running.json'), 'utf8')) as RunningFile;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
