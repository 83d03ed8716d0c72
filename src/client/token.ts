// Tokens as the client handles them: where they come from, how they travel, and when they end. What a token says is read
// without proof; the gateway proves it.

import { subprotocol } from '../protocol/frames.ts';

/**
 * A token, or what gives one. It is asked before each connection, and again with the token that was refused or is about
 * to expire: the same one in return means that there is no other.
 */
export type TokenSource = string | ((stale: string | null) => string | Promise<string>);

/** Subprotocols of a socket that is opened with `token`. */
export function toSubprotocols(token: string): readonly string[] {
  return [subprotocol, `jwt.${toBase64url(token)}`];
}

export interface TokenClaims {
  readonly user: string;
  /** `null`: the token does not say. */
  readonly expiresAtMs: number | null;
}

/** Reads whose token it is and when it ends. Proves nothing; the gateway does. `null`: no JWT. */
export function parseClaims(token: string): TokenClaims | null {
  const payload = token.trim().split('.')[1];
  if (payload === undefined) return null;
  try {
    const claims = JSON.parse(fromBase64url(payload)) as { sub?: unknown; exp?: unknown };
    if (typeof claims.sub !== 'string') return null;
    return { user: claims.sub, expiresAtMs: typeof claims.exp === 'number' ? claims.exp * 1_000 : null };
  } catch {
    // Swallowed: whatever was given is not a token; the caller says so.
    return null;
  }
}

function toBase64url(text: string): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromBase64url(text: string): string {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder().decode(Uint8Array.from(binary, (unit) => unit.charCodeAt(0)));
}
