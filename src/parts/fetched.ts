/**
 * The cache of fetched parts: a folder each, that appears whole or not at all. A part is built in a stage beside it and
 * renamed, under a lock, so that neither a kill nor two processes at once can leave half a part behind; the stage is kept
 * after a failure, so that what supports it goes on where it stopped.
 */
import { access, mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import type { PartsContext } from './context.ts';
import { createDiskFullError, isDiskFull, PartError, toReason } from './part-error.ts';
import { hasCode, readCode } from './thrown.ts';

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (readCode(error) !== undefined) return false;
    throw error;
  }
}

/** `<cacheDir>/<key>/<file>` when that part is there whole. */
export async function findFetched(context: PartsContext, key: string, file: string): Promise<string | undefined> {
  const path = join(context.cacheDir, key, file);
  return (await exists(path)) ? path : undefined;
}

/**
 * Builds the part `key` unless it is there, and returns its folder. `build` writes into the stage it is given; anything
 * it throws is passed on, a full disk as a `PartError`.
 */
export async function fetchOnce(
  context: PartsContext,
  key: string,
  build: (stage: string) => Promise<void>,
): Promise<string> {
  const target = join(context.cacheDir, key);
  const stage = `${target}.stage`;
  const release = await lockPart(context, key);
  try {
    if (await exists(target)) return target;
    await mkdir(stage, { recursive: true });
    await build(stage);
    await rename(stage, target);
    return target;
  } catch (error) {
    await removeIfEmpty(stage);
    if (!(error instanceof PartError) && isDiskFull(error)) throw createDiskFullError(key, context.cacheDir, error);
    throw error;
  } finally {
    await release();
  }
}

/** Empties a stage: for builds that cannot go on where they stopped. */
export async function emptyStage(stage: string): Promise<void> {
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { recursive: true });
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  }
}

async function lockPart(context: PartsContext, key: string): Promise<() => Promise<void>> {
  const { cacheDir, report, signal } = context;
  try {
    await mkdir(cacheDir, { recursive: true });
  } catch (error) {
    if (isDiskFull(error)) throw createDiskFullError(key, cacheDir, error);
    throw new PartError(
      'asked',
      `unable to use the cache folder ${cacheDir}; ${toReason(error)}; set CANDOR_CACHE_DIR to a folder that can be written`,
      { cause: error },
    );
  }
  let lost = false;
  const options = {
    realpath: false,
    // How long the lock of a killed process holds up the next one.
    stale: 10_000,
    update: 3_000,
    lockfilePath: join(cacheDir, `${key}.lock`),
    // A machine that slept loses its lock; the library would end the whole process for it.
    onCompromised: () => {
      lost = true;
      report({ kind: 'line', text: `${key}: the lock on it was lost, as after a sleep of the machine` });
    },
  };
  let waiting = false;
  for (;;) {
    if (signal?.aborted === true) throw new PartError('aborted', `unable to fetch ${key}; it was stopped`);
    try {
      const release = await lockfile.lock(join(cacheDir, key), options);
      return async () => {
        if (!lost) await release();
      };
    } catch (error) {
      if (!hasCode(error, 'ELOCKED')) {
        throw isDiskFull(error) ? createDiskFullError(key, cacheDir, error) : error;
      }
    }
    if (!waiting) report({ kind: 'line', text: `${key}: another process is fetching it; waiting for that` });
    waiting = true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
