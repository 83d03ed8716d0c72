// What an open turn waits for, as a reader is told it: a part that is away, with its error, or the step that the log
// says it is at.

import { toErrorInfo, type ErrorInfo } from '../protocol/errors.ts';
import type { WaitingReason } from '../protocol/events.ts';
import type { PendingStep } from '../protocol/ports.ts';
import type { Transcript } from '../protocol/transcript.ts';

export interface Away {
  readonly reason: WaitingReason;
  readonly error?: ErrorInfo;
  /** ISO 8601; when it is tried again. */
  readonly until?: string;
}

export const engineIsAway: Away = { reason: 'engine', error: toErrorInfo('engine_unavailable') };
export const graphIsAway: Away = { reason: 'graph', error: toErrorInfo('graph_unavailable') };

/** What keeps an open turn from going on, as its last try has it; `null`: nothing that is known. */
export function awayPart(pending: readonly PendingStep[]): Away | null {
  if (pending.some(({ heartbeat }) => heartbeat?.loading === true)) return { reason: 'model_loading' };
  const refused = pending.find(({ errorCode }) => errorCode === 'graph_unavailable');
  if (refused === undefined) return null;
  return { ...graphIsAway, ...(refused.nextTryAt === null ? {} : { until: refused.nextTryAt }) };
}

/** A step is due and no worker has taken it. */
export const awaitsWorker = (pending: readonly PendingStep[], nowMs: number): boolean =>
  pending.some(({ nextTryAt }) => nextTryAt !== null && Date.parse(nextTryAt) <= nowMs);

export function reasonOf(transcript: Transcript): WaitingReason {
  switch (transcript.log.at(-1)?.type) {
    case 'turn_queued':
      return 'queue';
    case 'agent_thinking':
      return 'model';
    case 'attempt_failed':
      return 'retry';
    case undefined:
      return 'worker';
    default:
      return 'graph';
  }
}
