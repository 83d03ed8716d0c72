// The key that a worker signs receipts with: an Ed25519 key as a private JSON Web Key in the data folder. It is made at
// the first start and stays, because every receipt that it signed is worth as much as the key can be found again.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { calculateJwkThumbprint, CompactSign, exportJWK, generateKeyPair, importJWK } from 'jose';
import { readSecret, loadSecret, UnfitSecret, type SecretFile } from '../files/secret-file.ts';
import type { ReceiptSigner } from '../protocol/ports.ts';
import { receiptType, toReceiptPayload, type ReceiptKeyJwk } from '../protocol/receipt.ts';

export const receiptKeyFile = 'receipt-key.json';

interface PrivateJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly d: string;
}

/** The path of the key: the file that is named, else the one of the data folder. */
export const toReceiptKeyPath = (dataDir: string, keyFile: string | null): string =>
  keyFile ?? join(dataDir, receiptKeyFile);

/**
 * Reads the key at this path, creating it when there is none.
 *
 * @throws Error when the file is readable by others or holds no key
 */
export const loadReceiptKey = (path: string): Promise<ReceiptSigner> => loadSecret(secretAt(path));

/** The public part of the key at this path; `null` when there is none. @throws Error as {@link loadReceiptKey} */
export async function readPublicKey(path: string): Promise<ReceiptKeyJwk | null> {
  return (await readSecret(secretAt(path)))?.publicKey ?? null;
}

const secretAt = (path: string): SecretFile<ReceiptSigner> => ({
  path,
  name: 'receipt key',
  async create() {
    const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    return JSON.stringify(await exportJWK(privateKey));
  },
  parse: async (text) => createSigner(parsePrivateJwk(text)),
});

function parsePrivateJwk(text: string): PrivateJwk {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UnfitSecret('holds no JSON', { cause });
  }
  const { kty, crv, x, d } = (value ?? {}) as Partial<Record<keyof PrivateJwk, unknown>>;
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string' || typeof d !== 'string') {
    throw new UnfitSecret('holds no private JSON Web Key of Ed25519');
  }
  return { kty, crv, x, d };
}

async function createSigner(jwk: PrivateJwk): Promise<ReceiptSigner> {
  const { kty, crv, x } = jwk;
  if (toPublicX(jwk) !== x) throw new UnfitSecret('holds a key whose public part is another one’s');
  const key = await importJWK({ ...jwk, alg: 'EdDSA' });
  const publicKey: ReceiptKeyJwk = { kty, crv, x, kid: await toKid(x), alg: 'EdDSA', use: 'sig' };
  return {
    publicKey,
    sign: (receipt) =>
      new CompactSign(new TextEncoder().encode(toReceiptPayload(receipt)))
        .setProtectedHeader({ alg: 'EdDSA', kid: publicKey.kid, typ: receiptType })
        .sign(key),
  };
}

/** Nobody else compares the two parts: with the wrong public one, signatures would be made that never verify. */
function toPublicX(jwk: PrivateJwk): string | undefined {
  try {
    return createPublicKey(createPrivateKey({ key: { ...jwk }, format: 'jwk' })).export({ format: 'jwk' }).x;
  } catch (cause) {
    throw new UnfitSecret('holds a key that cannot be used', { cause });
  }
}

/** RFC 7638, with SHA-256. */
export const toKid = (x: string): Promise<string> => calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x });
