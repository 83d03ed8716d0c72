// Who calls, as a verified token says it. Built from claims only here, so that no route reads a claim by itself.

import type { JWTPayload } from 'jose';
import type { UserId } from '../../protocol/ids.ts';
import type { Tier } from '../../protocol/turn.ts';

export interface Caller {
  readonly userId: UserId;
  readonly roles: readonly string[];
  readonly tier: Tier;
  readonly expiresAt: Date;
}

const tiers: readonly string[] = ['free', 'early', 'mid', 'enterprise'] satisfies readonly Tier[];
const maxUserIdLength = 255;
const printable = /^[^\p{Cc}\p{Cs}]+$/u;

/**
 * @param claims already verified: signature, `iss`, `aud`, `nbf`, `exp`
 * @throws Error for a claim of another shape. A wrong one is refused, never read as absent: a mistyped tier must not
 * quietly become `free`.
 */
export function toCaller({ sub, exp, ...claims }: JWTPayload): Caller {
  if (typeof sub !== 'string' || sub.length > maxUserIdLength || !printable.test(sub)) {
    throw new Error(`unable to read the claim sub; it must be 1 to ${maxUserIdLength} printable characters`);
  }
  if (typeof exp !== 'number') throw new Error('unable to read the claim exp; it must be a number of seconds');
  const { roles = [], tier = 'free' } = claims;
  if (!Array.isArray(roles) || !roles.every((role): role is string => typeof role === 'string')) {
    throw new Error('unable to read the claim roles; it must be a list of names');
  }
  if (!isTier(tier)) throw new Error(`unable to read the claim tier; it must be one of ${tiers.join(', ')}`);
  return { userId: sub as UserId, roles, tier, expiresAt: new Date(exp * 1_000) };
}

const isTier = (value: unknown): value is Tier => typeof value === 'string' && tiers.includes(value);
