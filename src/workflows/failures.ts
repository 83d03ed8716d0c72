// From what an activity threw to the error that the user reads: the one mapping of this arrow.

import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { TimeoutType } from '@temporalio/common';
import type { StreamFailure, StreamHeartbeat } from '../protocol/activities.ts';
import { isErrorCode, toErrorInfo, type ErrorInfo } from '../protocol/errors.ts';
import { toLostStream } from '../protocol/lost-worker.ts';

/** An error that carries its code, as activities throw it; anything else is `internal`. */
export function toTurnError(thrown: unknown): ErrorInfo {
  const outer = thrown instanceof ActivityFailure ? thrown.cause : thrown;
  // A deadline over several tries carries the last try's failure inside: that is the cause worth telling.
  const cause = outer instanceof TimeoutFailure && outer.cause instanceof ApplicationFailure ? outer.cause : outer;
  if (cause instanceof TimeoutFailure) return toErrorInfo('worker_lost');
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
    const [first] = cause.details ?? [];
    return isErrorInfo(first) ? first : toErrorInfo(cause.type, { facts: { reason: cause.message } });
  }
  return toErrorInfo('internal', { facts: { reason: 'an unexpected error' } });
}

/** The other way round, for a failure that the workflow itself finds. */
export const toFailure = (error: ErrorInfo): ApplicationFailure =>
  ApplicationFailure.create({ message: error.message, type: error.code, nonRetryable: true, details: [error] });

/** What is known about a failed model call. A dead worker leaves its last heartbeat: a lower bound of what was shown. */
export function toStreamFailure(thrown: unknown): StreamFailure & { readonly atLeast: boolean } {
  const cause = thrown instanceof ActivityFailure ? thrown.cause : thrown;
  if (cause instanceof ApplicationFailure) {
    const [first] = cause.details ?? [];
    if (isStreamFailure(first)) return { ...first, atLeast: first.atLeast === true };
  }
  const beat =
    cause instanceof TimeoutFailure && cause.timeoutType === TimeoutType.HEARTBEAT
      ? (cause.lastHeartbeatDetails as StreamHeartbeat | undefined)
      : undefined;
  return { ...toLostStream(beat), error: toTurnError(thrown), atLeast: cause instanceof TimeoutFailure };
}

const isErrorInfo = (value: unknown): value is ErrorInfo =>
  typeof value === 'object' && value !== null && isErrorCode((value as ErrorInfo).code);

const isStreamFailure = (value: unknown): value is StreamFailure =>
  typeof value === 'object' && value !== null && isErrorInfo((value as StreamFailure).error);
