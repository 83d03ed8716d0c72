/** Room on the disk and in memory, looked at before anything is fetched: a start that fails half-way costs more. */
import { statfs } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { exists } from './fetched.ts';
import { PartError } from './part-error.ts';

export interface Need {
  /** The folder that will be written; it need not exist yet. */
  readonly folder: string;
  readonly bytes: number;
  /** For the sentence: `the model and the servers`. */
  readonly what: string;
  /** The variable that moves it elsewhere. */
  readonly variable: string;
}

/** Free bytes for this user on the disk that holds `folder`. */
export async function readFreeDisk(folder: string): Promise<number> {
  let there = folder;
  while (!(await exists(there)) && dirname(there) !== there) there = dirname(there);
  const { bavail, bsize } = await statfs(there);
  return bavail * bsize;
}

/** Throws `PartError` `disk_full`. */
export async function checkDisk(need: Need, free: (folder: string) => Promise<number> = readFreeDisk): Promise<void> {
  const bytes = await free(need.folder);
  if (bytes >= need.bytes) return;
  throw new PartError(
    'disk_full',
    `unable to fetch ${need.what}; ${toGigabytes(need.bytes)} GB are needed in ${need.folder} and ${toGigabytes(bytes)} GB are free; free some space, or set ${need.variable} to a folder on a larger disk`,
  );
}

/** Memory that can be had without swapping; on macOS, whose free memory says little, half of all. */
export function readFreeMemory(os: string = process.platform): number {
  if (os === 'darwin') return Math.max(freemem(), totalmem() / 2);
  return process.availableMemory();
}

/** Throws `PartError` `memory`. `advice` says what to do with less. */
export function checkMemory(neededBytes: number, advice: string, freeBytes: number = readFreeMemory()): void {
  if (freeBytes >= neededBytes) return;
  throw new PartError(
    'memory',
    `unable to start; ${toGigabytes(neededBytes)} GB of memory are needed and ${toGigabytes(freeBytes)} GB are free; ${advice}`,
  );
}

function toGigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
