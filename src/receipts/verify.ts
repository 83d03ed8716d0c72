// Whether receipts are what a worker signed. Entirely offline: the document, the public keys, and nothing else.

import { toCanonicalJson } from '../protocol/canonical.ts';
import { parseDocument, type Subject, type Unreadable } from './document.ts';
import { judge, sha256, type Examined } from './judge.ts';
import type { KeySet } from './key-set.ts';
import { readSignature } from './signature.ts';
import type { Verification } from './verdict.ts';

/**
 * @param document JSON text
 * @param answer a text to compare with the answer of the document's receipt; `null`: none
 */
export async function verifyDocument(document: string, keys: KeySet, answer: Buffer | null): Promise<Verification> {
  const { entries, isList } = parseDocument(document);
  const examined = await Promise.all(entries.map((entry) => examine(entry, keys)));
  const known = new Set(examined.flatMap(({ hashes }) => hashes));
  const receipts = examined.map((entry) => judge(entry, { known, isList, answer }));
  return { valid: receipts.every(({ verdict }) => verdict === 'valid'), receipts };
}

async function examine(entry: Subject | Unreadable, keys: KeySet): Promise<Examined> {
  if ('unreadable' in entry || entry.receipt === null) return { entry, signature: null, hashes: [] };
  const { jws, ...clear } = entry.receipt;
  const signature = typeof jws === 'string' ? await readSignature(jws, keys) : null;
  const signed = signature?.kind === 'good' ? [sha256(signature.payload)] : [];
  return { entry, signature, hashes: [sha256(toCanonicalJson(clear)), ...signed] };
}
