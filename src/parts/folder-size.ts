/** Bytes in a folder that somebody else is writing: for the progress of clients that show none of their own. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Files that vanish while they are counted are counted as nothing. */
export async function listSizes(folder: string): Promise<readonly number[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return await Promise.all(files.map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size));
  } catch (error) {
    // The writer moves its files; the next measurement is right again.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

export async function sizeOfFolder(folder: string): Promise<number> {
  return (await listSizes(folder)).reduce((sum, size) => sum + size, 0);
}
