// The files of the project as git sees them: tracked ones, and new ones that are not ignored.

import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface ProjectFile {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly read: () => Promise<string>;
}

/** Sorted by path. A file that git still knows and that is gone is left out. */
export async function listFiles(root: string): Promise<readonly ProjectFile[]> {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const { stdout } = await promisify(execFile)('git', args, { cwd: root, maxBuffer: 1 << 26 });
  const paths = [...new Set(stdout.split('\0').filter((path) => path !== ''))].sort();
  const there = await Promise.all(paths.map((path) => isFile(join(root, path))));
  return paths
    .filter((_, index) => there[index] === true)
    .map((path) => ({ path, read: () => readFile(join(root, path), 'utf8') }));
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
