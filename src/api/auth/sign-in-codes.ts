// One-time codes for the address that `npm start` prints. A code is worth one token of the local user, so it lives
// briefly, is kept as a hash only, dies at its first use, and is honoured only where this machine alone can reach.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { CandorError } from '../../protocol/errors.ts';
import { isLoopbackHost, isLoopbackHostHeader } from './loopback.ts';

export interface SignInCodesOptions {
  /** Address that the gateway listens on. */
  readonly host: string;
  /** Signs the token that a code is exchanged for. */
  readonly issueToken: () => Promise<string>;
  readonly ttlMs?: number;
  readonly nowMs?: () => number;
}

export interface SignInCodes {
  /** A new code: 128 random bits, base64url. */
  issue(): string;
  /**
   * Gives a token for a code that was not used yet.
   *
   * @param hostHeader of the request: a foreign name that points at this machine gets nothing
   * @throws CandorError `unauthenticated` for a code that is unknown, used or too old; `forbidden` for a foreign host
   */
  exchange(code: string, hostHeader: string | undefined): Promise<string>;
}

interface OpenCode {
  readonly hash: Buffer;
  readonly expiresAtMs: number;
}

const codeBytes = 16;
const defaultTtlMs = 10 * 60_000;
/** Printing many addresses must not keep many open; the oldest go. */
const maxOpenCodes = 16;

/** @throws Error when the host is not a loopback one */
export function createSignInCodes(options: SignInCodesOptions): SignInCodes {
  const { host, issueToken, ttlMs = defaultTtlMs, nowMs = Date.now } = options;
  if (!isLoopbackHost(host)) {
    throw new Error(`unable to offer the local sign-in; ${host} can be reached from other machines: use an issuer`);
  }
  let open: readonly OpenCode[] = [];

  return {
    issue() {
      const code = randomBytes(codeBytes).toString('base64url');
      open = [...open, { hash: hashOf(code), expiresAtMs: nowMs() + ttlMs }].slice(-maxOpenCodes);
      return code;
    },

    async exchange(code, hostHeader) {
      if (!isLoopbackHostHeader(hostHeader)) {
        throw new CandorError('forbidden', {
          cause: new Error(`unable to exchange a code; the request was sent to ${hostHeader ?? 'no host'}`),
        });
      }
      const hash = hashOf(code);
      const now = nowMs();
      // Compares with all of them, so that the time tells nothing of which one matched.
      const matches = open.filter((known) => timingSafeEqual(known.hash, hash));
      open = open.filter((known) => !matches.includes(known) && known.expiresAtMs > now);
      if (!matches.some((known) => known.expiresAtMs > now)) {
        throw new CandorError('unauthenticated', {
          cause: new Error(
            'unable to exchange a code; it is unknown, was used, or is too old: start again for a new one',
          ),
        });
      }
      return issueToken();
    },
  };
}

const hashOf = (code: string): Buffer => createHash('sha256').update(code).digest();
