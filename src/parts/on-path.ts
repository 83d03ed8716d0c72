/** Finds a program in the folders of `PATH`, without running it. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Env } from './context.ts';
import { readCode } from './thrown.ts';

/** The program's path, or `undefined`. Relative entries of `PATH` are skipped: they mean another file in each folder. */
export async function findOnPath(program: string, env: Env): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (!folder.startsWith('/')) continue;
    const candidate = join(folder, program);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch (error) {
    // Not there, or not ours to run: both mean that it is no candidate.
    if (readCode(error) !== undefined) return false;
    throw error;
  }
}
