// Brings a fresh token while the socket stays open (the frame `auth`), so that a long answer is not interrupted by the end
// of a token. A source that has no other gives the same one; then the gateway closes at its end, and that is that.

import type { Clock } from './clock.ts';
import { parseClaims } from './token.ts';

export interface TokenRenewal {
  begin(token: string): void;
  end(): void;
}

/** How long before its end a token is renewed; half of its time when it lives shorter than twice that. */
const aheadMs = 60_000;
/** Timers count in 32 bits. */
const maxTimerMs = 2_000_000_000;

export function createTokenRenewal(
  clock: Clock,
  source: (stale: string | null) => string | Promise<string>,
  onRenewed: (token: string) => void,
): TokenRenewal {
  let cancel = (): void => undefined;
  /** Counts sockets: what an older one asked for is not used any more. */
  let current = 0;

  const wait = (token: string): void => {
    const expiresAtMs = parseClaims(token)?.expiresAtMs ?? null;
    if (expiresAtMs === null) return;
    const leftMs = Math.max(0, expiresAtMs - clock.nowMs());
    const mine = current;
    cancel = clock.after(Math.min(Math.max(leftMs - aheadMs, leftMs / 2), maxTimerMs), () => {
      if (clock.nowMs() < expiresAtMs - aheadMs && leftMs > maxTimerMs) return wait(token);
      void renew(token).then((renewed) => {
        if (mine !== current || renewed === null || renewed === token) return;
        onRenewed(renewed);
        wait(renewed);
      });
    });
  };

  const renew = async (token: string): Promise<string | null> => {
    try {
      return await source(token);
    } catch {
      // Swallowed: the token is still good; when it ends the source is asked again, and its refusal is told then.
      return null;
    }
  };

  return {
    begin(token) {
      current += 1;
      cancel();
      wait(token);
    },
    end() {
      current += 1;
      cancel();
    },
  };
}
