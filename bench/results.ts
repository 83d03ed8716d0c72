// What a benchmark gave, as a file that lies in git: figures whole, samples thinned, so that a reader of a diff sees what
// changed and not ten thousand numbers. Quick runs lie apart and are not in git.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';
import type { Report } from './benchmark.ts';
import type { Machine } from './machine.ts';

/** Of a list; a longer one is thinned evenly, and says so. */
export const maxSamples = 20;

export interface Result extends Report {
  readonly name: string;
  readonly quick: boolean;
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly tookS: number;
  readonly commit: string;
  /** Files were changed since that commit. */
  readonly isChanged: boolean;
  readonly machine: Machine;
}

export interface Kind {
  readonly quick: boolean;
}

const folderOf = (root: string, { quick }: Kind): string => join(root, 'bench', 'results', ...(quick ? ['quick'] : []));

/** Resolves with the path, relative to the root. */
export async function writeResult(root: string, result: Result): Promise<string> {
  const folder = folderOf(root, result);
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${result.name}.json`);
  const { samples, ...rest } = result;
  const json = JSON.stringify({ ...rest, samples: thin(samples) });
  await writeFile(path, await format(json, { parser: 'json', printWidth: 120 }));
  return path.slice(root.length).replace(/^\//, '');
}

/** By name; none when nothing was measured yet. */
export async function listResults(root: string, kind: Kind): Promise<readonly Result[]> {
  const folder = folderOf(root, kind);
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const names = files.filter((file) => file.endsWith('.json')).sort();
  return Promise.all(names.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8')) as Result));
}

/** Numbers to three decimals; lists of more than `maxSamples` become `{of, samples}`, at any depth. */
export function thin(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : null;
  if (Array.isArray(value)) {
    if (value.length <= maxSamples) return value.map(thin);
    const step = (value.length - 1) / (maxSamples - 1);
    const kept = Array.from({ length: maxSamples }, (_, n): unknown => value[Math.round(n * step)]);
    return { of: value.length, samples: kept.map(thin) };
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, thin(part)]));
}
