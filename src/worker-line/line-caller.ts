// A watcher's end of the line. A call tells apart what proves that the process is gone (nobody listens at its port, or
// somebody else does) and what proves nothing (no answer in time, a host that cannot be reached).

import { connect, type Socket } from 'node:net';
import type { LineAddress } from './line-address.ts';
import { listenTo, say, type StopRequest } from './messages.ts';

export interface OpenLine {
  requestStop(request: StopRequest): void;
  /** Resolves when the connection is over. */
  readonly ended: Promise<'goodbye' | 'lost'>;
  close(): void;
}

export type Call =
  | { readonly kind: 'open'; readonly line: OpenLine }
  /** Nobody listens there, or somebody else: the process that had this line is gone. */
  | { readonly kind: 'gone'; readonly evidence: string }
  /** Taken and closed without a word, as by a process that is just ending. */
  | { readonly kind: 'cut' }
  /** No evidence of anything. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** @param timeoutMs for the connection and the welcome together */
export function call({ host, port, nonce }: LineAddress, timeoutMs: number): Promise<Call> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let welcomed = false;
    let bidFarewell = false;
    let failure: NodeJS.ErrnoException | null = null;
    let end: (how: 'goodbye' | 'lost') => void = () => undefined;
    const settle = (result: Call): void => {
      clearTimeout(late);
      resolve(result);
      if (result.kind !== 'open') socket.destroy();
    };
    const late = setTimeout(() => settle({ kind: 'unknown', reason: `no answer in ${timeoutMs} ms` }), timeoutMs);
    socket.setKeepAlive(true, 10_000).setNoDelay(true);
    socket.once('connect', () => say(socket, { hello: nonce }));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failure = error;
    });
    listenTo(socket, ({ welcome, refused, goodbye }) => {
      if (welcomed) {
        bidFarewell ||= goodbye === true;
      } else if (welcome === true) {
        welcomed = true;
        const ended = new Promise<'goodbye' | 'lost'>((resolveEnd) => (end = resolveEnd));
        settle({ kind: 'open', line: toLine(socket, ended) });
      } else if (refused === true) {
        settle({ kind: 'gone', evidence: 'another worker answers at its port' });
      }
    });
    socket.once('close', () => {
      settle(toFailedCall(failure));
      end(bidFarewell ? 'goodbye' : 'lost');
    });
  });
}

const toLine = (socket: Socket, ended: OpenLine['ended']): OpenLine => ({
  ended,
  requestStop: (stop) => say(socket, { stop }),
  close: () => void socket.destroy(),
});

function toFailedCall(failure: NodeJS.ErrnoException | null): Call {
  switch (failure?.code) {
    case 'ECONNREFUSED':
      return { kind: 'gone', evidence: 'nothing listens at its port' };
    case 'ECONNRESET':
    case 'EPIPE':
      return { kind: 'cut' };
    case undefined:
      return failure === null ? { kind: 'cut' } : { kind: 'gone', evidence: 'another program answers at its port' };
    default:
      return { kind: 'unknown', reason: failure?.code ?? 'unknown' };
  }
}
