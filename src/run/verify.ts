// `candor verify`: reads the files, says what the receipts are worth. Reads nothing else and calls nobody.

import { readFile } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { parseKeySet, toKeySet, UnfitKeySet, type KeySet } from '../receipts/key-set.ts';
import { toLines } from '../receipts/report.ts';
import { verifyDocument } from '../receipts/verify.ts';
import { readOwnKey } from './receipt-signer.ts';
import { StartError } from './start-error.ts';

export interface VerifyOptions {
  readonly file: string;
  /** File with the published keys; `null`: the key of the data folder. */
  readonly keys: string | null;
  /** File with a text to compare with the answer; `null`: none. */
  readonly answer: string | null;
  readonly json: boolean;
  readonly loadConfig: () => Config;
  readonly say: (line: string) => void;
}

/** 0: everything is valid. 1: something is not. 2: it could not be read, so that nothing is known. */
export const verifyExit = { valid: 0, invalid: 1, unreadable: 2 } as const;

/** @returns the exit code. @throws StartError for files that cannot be read or hold no keys: then it is `unreadable` */
export async function verify({ file, keys, answer, json, loadConfig, say }: VerifyOptions): Promise<number> {
  const document = (await read(file)).toString('utf8');
  const text = answer === null ? null : await read(answer);
  const known = keys === null ? await toKeySet([await readOwnKey(loadConfig())]) : await readKeys(keys);
  const found = await verifyDocument(document, known, text);
  if (text !== null && found.receipts.length > 1)
    throw new StartError(
      `unable to compare the text of ${answer}; ${file} has ${found.receipts.length} receipts, not one`,
    );
  if (json) say(JSON.stringify(found, null, 2));
  else for (const line of toLines(found)) say(line);
  if (found.receipts.some(({ verdict }) => verdict === 'unreadable')) return verifyExit.unreadable;
  return found.valid ? verifyExit.valid : verifyExit.invalid;
}

async function readKeys(file: string): Promise<KeySet> {
  const text = (await read(file)).toString('utf8');
  try {
    return await parseKeySet(text);
  } catch (cause) {
    if (!(cause instanceof UnfitKeySet)) throw cause;
    throw new StartError(`unable to use the keys of ${file}; ${cause.message}`, { cause });
  }
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new StartError(`unable to read ${file}; ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}
