// Reads the signature of a receipt and says what it is worth. What was signed is taken from the signature alone; the clear
// fields beside it are only what somebody claims.

import { compactVerify, errors } from 'jose';
import { receiptType } from '../protocol/receipt.ts';
import { parseObject } from './json.ts';
import type { KeySet } from './key-set.ts';

export type Signature =
  | { readonly kind: 'good'; readonly kid: string; readonly payload: string }
  | { readonly kind: 'unknown_key'; readonly kid: string }
  | { readonly kind: 'broken'; readonly reason: string };

/** @param jws compact serialization (RFC 7515) */
export async function readSignature(jws: string, keys: KeySet): Promise<Signature> {
  const parts = jws.split('.');
  if (parts.length !== 3 || !parts.every(isCanonical)) return broken('the signature is no compact JWS');
  const { kid, alg, typ } = parseObject(decode(parts[0] ?? '')) ?? {};
  if (typeof kid !== 'string') return broken('the signature names no key');
  if (alg !== 'EdDSA' || typ !== receiptType) return broken('the signature is not one of a receipt');
  const key = keys.get(kid);
  if (key === undefined) return { kind: 'unknown_key', kid };
  try {
    const { payload } = await compactVerify(jws, key, { algorithms: ['EdDSA'] });
    return { kind: 'good', kid, payload: new TextDecoder().decode(payload) };
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    return broken('the signature does not fit what it signs');
  }
}

const broken = (reason: string): Signature => ({ kind: 'broken', reason });

const decode = (part: string): string => Buffer.from(part, 'base64url').toString('utf8');

/** Decoders are lenient with the last bits of base64: a character could be another one and mean the same. */
const isCanonical = (part: string): boolean => Buffer.from(part, 'base64url').toString('base64url') === part;
