/** Bytes in a folder that somebody else is writing: for the progress of clients that show none of their own. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from './thrown.ts';

/** Files that vanish while they are counted are left out: the writer moves them, and the next count has them again. */
export async function listSizes(folder: string): Promise<readonly number[]> {
  const entries = (await unlessGone(readdir(folder, { recursive: true, withFileTypes: true }))) ?? [];
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const stats = await Promise.all(files.map((file) => unlessGone(stat(file))));
  return stats.map((found) => found?.size ?? 0);
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export async function sizeOfFolder(folder: string): Promise<number> {
  return (await listSizes(folder)).reduce((sum, size) => sum + size, 0);
}
