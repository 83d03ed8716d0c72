/**
 * Unpacks what the sources ship: wheels (zip) and tar.gz. Only regular files below the target are written, because an
 * archive's names are input like any other.
 */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as tar from 'tar';
import yauzl from 'yauzl';
import { PartError } from './part-error.ts';

interface ZipEntry {
  readonly name: string;
  readonly mode: number;
  open(): Promise<Readable>;
}

/** Calls `visit` for each file of a zip, in order, one at a time. */
async function visitZip(file: string, visit: (entry: ZipEntry) => Promise<void>): Promise<void> {
  const zip = await yauzl.openPromise(file);
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      await visit({
        name: entry.fileName,
        mode: (entry.externalFileAttributes >>> 16) & 0o777,
        open: () => zip.openReadStreamPromise(entry),
      });
    }
  } finally {
    zip.close();
  }
}

/** Writes the file `entryName` of a zip to `target`; `executable` sets the mode that wheels do not carry. */
export async function extractZipEntry(
  file: string,
  entryName: string,
  target: string,
  options: { readonly executable?: boolean; readonly append?: boolean } = {},
): Promise<void> {
  let found = false;
  await visitZip(file, async (entry) => {
    if (entry.name !== entryName) return;
    found = true;
    const flags = options.append === true ? 'a' : 'w';
    await pipeline(
      await entry.open(),
      createWriteStream(target, { flags, mode: options.executable === true ? 0o755 : 0o644 }),
    );
  });
  if (!found)
    throw new PartError('fetch', `unable to unpack ${file}; it holds no ${entryName}; delete it and try again`);
}

/** Writes all files of a zip below `folder` to `target`, without that prefix, with their modes. */
export async function extractZipFolder(file: string, folder: string, target: string): Promise<void> {
  await visitZip(file, async (entry) => {
    if (!entry.name.startsWith(`${folder}/`)) return;
    const relative = normalize(entry.name.slice(folder.length + 1));
    if (relative.startsWith('..'))
      throw new PartError('fetch', `unable to unpack ${file}; ${entry.name} leaves its folder`);
    const path = join(target, relative);
    await mkdir(dirname(path), { recursive: true });
    await pipeline(await entry.open(), createWriteStream(path, { mode: entry.mode === 0 ? 0o644 : entry.mode }));
  });
}

/** Unpacks a tar.gz into `target`; `tar` itself refuses names that leave it. */
export async function extractTarball(file: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  await tar.x({ file, cwd: target });
}
