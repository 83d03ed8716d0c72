// The public keys that a receipt may be signed with. A key counts by its own thumbprint, not by the name that the file
// gives it: one key cannot be passed off as another.

import { importJWK, type CryptoKey } from 'jose';
import type { ReceiptKeyJwk } from '../protocol/receipt.ts';
import { toKid } from './receipt-key.ts';

/** By `kid`. */
export type KeySet = ReadonlyMap<string, CryptoKey>;

/** Why a text is no set of keys. */
export class UnfitKeySet extends Error {}

/** The keys of a JSON Web Key Set as `/.well-known/candor-keys.json` gives it; other keys are left out. @throws UnfitKeySet */
export async function parseKeySet(text: string): Promise<KeySet> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UnfitKeySet('it holds no JSON', { cause });
  }
  const listed = (value as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(listed)) throw new UnfitKeySet('it is no JSON Web Key Set, which has a list «keys»');
  const keys = await toKeySet(listed.filter(isEd25519));
  if (keys.size === 0) throw new UnfitKeySet('no key in it is one of Ed25519');
  return keys;
}

export async function toKeySet(jwks: readonly Pick<ReceiptKeyJwk, 'x'>[]): Promise<KeySet> {
  return new Map(await Promise.all(jwks.map(async ({ x }) => [await toKid(x), await importPublic(x)] as const)));
}

const importPublic = (x: string): Promise<CryptoKey> =>
  importJWK({ kty: 'OKP' as const, crv: 'Ed25519', x, alg: 'EdDSA' });

const keyBytes = 32;

const isEd25519 = (jwk: unknown): jwk is Pick<ReceiptKeyJwk, 'x'> => {
  const { kty, crv, x } = (jwk ?? {}) as Partial<Record<keyof ReceiptKeyJwk, unknown>>;
  return kty === 'OKP' && crv === 'Ed25519' && typeof x === 'string' && Buffer.from(x, 'base64url').length === keyBytes;
};
