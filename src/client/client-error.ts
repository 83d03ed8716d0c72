// What a client's promises and iterators reject with. A lost connection is none of it: the client comes back by itself.

import type { ErrorCode, ErrorInfo } from '../protocol/errors.ts';

export class CandorClientError extends Error {
  /** A code of the catalogue: the gateway refused for good. `closed`: this client was closed, or told to forget. */
  readonly code: ErrorCode | 'closed';
  /** The gateway's words; `null` for `closed`. */
  readonly info: ErrorInfo | null;

  constructor(operation: string, info: ErrorInfo | null) {
    super(`unable to ${operation}; ${info === null ? 'the client was closed' : info.message}`);
    this.name = 'CandorClientError';
    this.code = info?.code ?? 'closed';
    this.info = info;
  }
}
