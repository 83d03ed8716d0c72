// Watches one worker: keeps a connection to its line and finds out what the end of it means. Only evidence counts; in
// doubt nothing is said, and the engine's own time limits decide.

import { setTimeout as delay } from 'node:timers/promises';
import { isLoopback, type LineAddress } from './line-address.ts';
import { call, type OpenLine } from './line-caller.ts';
import type { StopRequest } from './messages.ts';

export interface LineWatchOptions {
  /** Mark of the machine of whoever watches. */
  readonly machine: string;
  readonly signal: AbortSignal;
  readonly callTimeoutMs?: number;
  /** First pause after a call that told nothing; doubled up to twenty times that. */
  readonly retryMs?: number;
}

export type LineEnd =
  | { readonly kind: 'dead'; readonly evidence: string }
  /** It ended in order. */
  | { readonly kind: 'goodbye' }
  /** Not watched any more, without news. */
  | { readonly kind: 'left' };

export interface LineWatch {
  readonly isOpen: boolean;
  requestStop(request: StopRequest): void;
  readonly ended: Promise<LineEnd>;
}

/** A process that is ending may take a call and drop it, for a moment. One that does so again and again is another program. */
const maxCuts = 5;
const cutPauseMs = 20;

/** `null`: the line is of no use from here, as a loopback address of another machine. */
export function watchLine(
  address: LineAddress,
  { machine, signal, callTimeoutMs = 1_000, retryMs = 250 }: LineWatchOptions,
): LineWatch | null {
  const isHere = address.machine === machine;
  if (isLoopback(address.host) && !isHere) return null;
  let open: OpenLine | null = null;

  const watch = async (): Promise<LineEnd> => {
    // From another machine a refusal may be a firewall's. Where a connection stood before, it is the worker's machine
    // that refuses now.
    let mayJudge = isHere;
    let cuts = 0;
    for (let pauseMs = retryMs; !signal.aborted;) {
      const called = await call(address, callTimeoutMs);
      if (called.kind === 'open') {
        open = called.line;
        const close = (): void => called.line.close();
        signal.addEventListener('abort', close, { once: true });
        if (signal.aborted) close();
        const how = await called.line.ended;
        signal.removeEventListener('abort', close);
        open = null;
        if (how === 'goodbye') return { kind: 'goodbye' };
        [mayJudge, cuts, pauseMs] = [true, 0, retryMs];
        continue;
      }
      if (called.kind === 'gone' && mayJudge) return { kind: 'dead', evidence: called.evidence };
      if (called.kind === 'cut' && ++cuts >= maxCuts && mayJudge)
        return { kind: 'dead', evidence: 'another program answers at its port' };
      await pause(called.kind === 'cut' ? cutPauseMs * 2 ** cuts : pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, retryMs * 20);
    }
    return { kind: 'left' };
  };

  return {
    get isOpen() {
      return open !== null;
    },
    requestStop: (request) => open?.requestStop(request),
    ended: watch(),
  };
}

/** Ends early when the watching does. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // Swallowed: the only thing that it can throw is the end of the watching, which the loop asks for itself.
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
