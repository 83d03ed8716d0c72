// What to do when a socket has closed. Pure: the connection asks, tests list every case.

import { errorCatalogue, type ErrorCode } from '../protocol/errors.ts';

export interface SocketEnd {
  /** Close code of the socket; 1006 when the browser only knows that it is gone. */
  readonly closeCode: number;
  /** `hello` had come: the token was accepted. */
  readonly greeted: boolean;
  /** Code of the last error frame before the close. */
  readonly lastError: ErrorCode | null;
}

/**
 * `renew`: the token is not accepted · `refused`: the agent is not, and trying again changes nothing · `probe`: a
 * browser hides why the upgrade failed, so ask by HTTP · `retry`: connect again.
 */
export type AfterClose = 'renew' | 'refused' | 'probe' | 'retry';

const closeCodes = { policy: 1008, tokenExpired: 4401 } as const;

export function decideAfterClose({ closeCode, greeted, lastError }: SocketEnd): AfterClose {
  if (closeCode === closeCodes.tokenExpired) return 'renew';
  if (closeCode === closeCodes.policy) return isRefusal(lastError) ? 'refused' : 'renew';
  return greeted ? 'retry' : 'probe';
}

/** The error explains the close by something else than the token. */
function isRefusal(code: ErrorCode | null): boolean {
  if (code === null || code === 'unauthenticated') return false;
  return errorCatalogue[code].closeCode === closeCodes.policy;
}

const firstDelayMs = 500;
const maxDelayMs = 15_000;

/**
 * Time to wait before the connection is tried again.
 *
 * @param failures in a row, from 1
 * @param random 0 to 1; spreads the clients of a gateway that restarts
 */
export function reconnectDelayMs(failures: number, random: number): number {
  const ceiling = Math.min(maxDelayMs, firstDelayMs * 2 ** (failures - 1));
  return Math.round(ceiling * (0.5 + random / 2));
}
