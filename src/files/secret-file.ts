// A secret that lies in a file: readable by its owner only, made when it is not there yet, and appearing whole or not at
// all, so that two processes that start at once end with the same one.

import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface SecretFile<Secret> {
  readonly path: string;
  /** For sentences: `signing key`. */
  readonly name: string;
  /** @throws UnfitSecret for a text that is none */
  parse(text: string): Secret | Promise<Secret>;
  /** The text of a new one, without the line break at its end. */
  create(): string | Promise<string>;
}

/** Says what a file holds in place of a secret. */
export class UnfitSecret extends Error {}

/**
 * Reads the secret; `null` when there is no file.
 *
 * @throws Error when others can read the file, or when it holds no secret
 */
export async function readSecret<Secret>(file: SecretFile<Secret>): Promise<Secret | null> {
  const { path, name } = file;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return null;
    throw new Error(`unable to read the ${name}; ${path} cannot be opened: check its owner`, { cause });
  }
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    const shown = (mode & 0o777).toString(8);
    throw new Error(
      `unable to use the ${name}; ${path} has mode ${shown} and others can read it: delete it, a new one is made, or chmod 600 when nobody has read it`,
    );
  }
  try {
    return await file.parse(text.trim());
  } catch (cause) {
    if (!(cause instanceof UnfitSecret)) throw cause;
    throw new Error(`unable to use the ${name}; ${path} ${cause.message}: delete it, a new one is made`, { cause });
  }
}

/** Reads the secret, creating it when there is none, its folder too. @throws Error as {@link readSecret} */
export async function loadSecret<Secret>(file: SecretFile<Secret>): Promise<Secret> {
  return (await readSecret(file)) ?? (await createSecret(file));
}

async function createSecret<Secret>(file: SecretFile<Secret>): Promise<Secret> {
  const { path, name } = file;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${await file.create()}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // Unlike a rename, a link never replaces the secret of a process that was faster.
    await link(draft, path);
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) {
      throw new Error(`unable to create the ${name}; ${path} cannot be written`, { cause });
    }
  } finally {
    await unlink(draft);
  }
  const secret = await readSecret(file);
  if (secret === null) throw new Error(`unable to create the ${name}; ${path} was removed meanwhile: start again`);
  return secret;
}

const hasCode = (error: unknown, code: string): boolean =>
  error !== null && typeof error === 'object' && 'code' in error && error.code === code;
