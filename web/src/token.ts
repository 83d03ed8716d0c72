// A browser cannot set headers on a socket, so the token travels in its list of subprotocols.

import { subprotocol } from '../../src/protocol/frames.ts';

/** Subprotocols of a socket that is opened with `token`. */
export function toSubprotocols(token: string): readonly string[] {
  return [subprotocol, `jwt.${toBase64url(token)}`];
}

export interface TokenClaims {
  readonly user: string;
  /** `null`: the token does not say. */
  readonly expiresAtMs: number | null;
}

/** Reads who a pasted token is for, so that the page can name its owner. Proves nothing; the gateway does. `null`: no JWT. */
export function parseClaims(token: string): TokenClaims | null {
  const payload = token.trim().split('.')[1];
  if (payload === undefined) return null;
  try {
    const claims = JSON.parse(fromBase64url(payload)) as { sub?: unknown; exp?: unknown };
    if (typeof claims.sub !== 'string') return null;
    return { user: claims.sub, expiresAtMs: typeof claims.exp === 'number' ? claims.exp * 1_000 : null };
  } catch {
    // Swallowed: whatever was pasted is not a token; the caller says so.
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
