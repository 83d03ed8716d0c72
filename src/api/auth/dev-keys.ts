// The signing key of a development product. It lies in the data folder so that tokens survive a restart, readable by its
// owner only, and it appears whole or not at all: two processes that start at once must end with the same key.

import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const devKeyFile = 'dev-signing-key';
const keyBytes = 32;

/**
 * Reads the key, creating it when there is none.
 *
 * @param dataDir created when it is missing
 * @throws Error when the file is readable by others or holds no key
 */
export async function loadDevKey(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, devKeyFile);
  return (await readKey(path)) ?? (await createKey(dataDir, path));
}

async function readKey(path: string): Promise<Uint8Array | null> {
  let text: string;
  try {
    text = await readFile(path, 'ascii');
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return null;
    throw new Error(`unable to read the signing key; ${path} cannot be opened: check its owner`, { cause });
  }
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    const shown = (mode & 0o777).toString(8);
    throw new Error(
      `unable to use the signing key; ${path} has mode ${shown} and others can read it: delete it, a new one is made`,
    );
  }
  const key = Buffer.from(text.trim(), 'base64url');
  if (key.length !== keyBytes) {
    throw new Error(`unable to use the signing key; ${path} holds ${key.length} bytes, not ${keyBytes}: delete it`);
  }
  return key;
}

async function createKey(dataDir: string, path: string): Promise<Uint8Array> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const draft = join(dataDir, `${devKeyFile}.${randomUUID()}`);
  await writeFile(draft, `${randomBytes(keyBytes).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // Unlike a rename, a link never replaces the key of a process that was faster.
    await link(draft, path);
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) {
      throw new Error(`unable to create the signing key; ${path} cannot be written`, { cause });
    }
  } finally {
    await unlink(draft);
  }
  const key = await readKey(path);
  if (key === null) throw new Error(`unable to create the signing key; ${path} was removed meanwhile: start again`);
  return key;
}

const hasCode = (error: unknown, code: string): boolean =>
  error !== null && typeof error === 'object' && 'code' in error && error.code === code;
