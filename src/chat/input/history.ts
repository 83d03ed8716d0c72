// What was written before, over sessions: one JSON string a line, readable by its owner only, because it holds what people
// wrote to a model.

import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const kept = 1_000;

/** Newest first; empty when there is none. */
export async function readHistory(path: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Error(`unable to read the history of the chat; ${path} cannot be opened: check its owner`, {
      cause: error,
    });
  }
  const entries = text.split('\n').flatMap(toEntry);
  if (entries.length > 2 * kept) await writeEntries(path, entries.slice(-kept));
  return entries.slice(-kept).reverse();
}

export async function addToHistory(path: string, entry: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await appendFile(path, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
}

const writeEntries = (path: string, entries: readonly string[]): Promise<void> =>
  writeFile(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''), { mode: 0o600 });

function toEntry(line: string): readonly string[] {
  if (line === '') return [];
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'string' ? [entry] : [];
  } catch {
    // Swallowed: a line that was cut when the machine went down is worth nothing, the others are.
    return [];
  }
}
