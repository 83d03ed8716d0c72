// When a failed model call is tried again. Pure: the random number and the clock are arguments, so that the schedule
// can be stated in a test.

import type { ErrorInfo } from '../protocol/errors.ts';
import { defaultRetry } from '../protocol/limits.ts';

export interface RetryQuestion {
  readonly error: ErrorInfo;
  /** Tries so far, the failed one included. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Milliseconds left until the turn's deadline. */
  readonly remainingMs: number;
  /** 0 ≤ random < 1. */
  readonly random: number;
}

/** Milliseconds to wait before the next try; `null`: the turn ends with this error. */
export function nextRetryMs({ error, attempt, maxAttempts, remainingMs, random }: RetryQuestion): number | null {
  if (!error.retryable || attempt >= maxAttempts) return null;
  const waitMs = Math.round(Math.max(backoffMs(error, attempt, random), error.retryAfterMs ?? 0));
  return waitMs < remainingMs ? waitMs : null;
}

function backoffMs(error: ErrorInfo, attempt: number, random: number): number {
  // The process died, not the model: the next one is there or Temporal waits for it.
  if (error.code === 'worker_lost') return 0;
  const { initialMs, factor, maxMs, jitter } = defaultRetry;
  const plain = Math.min(initialMs * factor ** (attempt - 1), maxMs);
  return plain * (1 - jitter + 2 * jitter * random);
}
