// Tokens of a development product: for `candor token` and for the sign-in of the page. The gateway checks them like any
// other, by a verifier over the same key.

import { SignJWT } from 'jose';
import type { Tier } from '../../protocol/turn.ts';
import { createTokenVerifier, defaultAudience, type VerifyToken } from './token-verifier.ts';

const devIssuer = 'candor-dev';
/** The user of whoever sits at this machine. */
const devUser = 'local';
const defaultTtlMs = 12 * 60 * 60_000;

export interface DevTokenRequest {
  readonly user?: string;
  readonly tier?: Tier;
  readonly roles?: readonly string[];
  /** Milliseconds; rounded down to seconds. Twelve hours when absent. */
  readonly ttlMs?: number;
  readonly nowMs?: () => number;
}

/** Signs a token; user `local`, tier `enterprise`, no roles, unless said otherwise. */
export async function issueDevToken(key: Uint8Array, request: DevTokenRequest = {}): Promise<string> {
  const { user = devUser, tier = 'enterprise', roles = [], ttlMs = defaultTtlMs, nowMs = Date.now } = request;
  const issuedAtSeconds = Math.floor(nowMs() / 1_000);
  return new SignJWT({ roles, tier })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    .setIssuer(devIssuer)
    .setAudience(defaultAudience)
    .setIssuedAt(issuedAtSeconds)
    .setExpirationTime(issuedAtSeconds + Math.floor(ttlMs / 1_000))
    .sign(key);
}

/** Accepts what {@link issueDevToken} signed with the same key. */
export function createDevTokenVerifier(key: Uint8Array, nowMs: () => number = Date.now): VerifyToken {
  return createTokenVerifier({ secret: key, issuer: devIssuer, audience: defaultAudience, nowMs });
}
