// From a typed error to what Temporal records: the code becomes the failure's `type`, the user's form its first
// detail, the vendor's error its cause. Whatever is not a CandorError is a bug and passes through.

import { ApplicationFailure } from '@temporalio/activity';
import { CandorError } from '../protocol/errors.ts';

/**
 * @param detail first detail; the error's own wire form when absent
 * @returns an ApplicationFailure for a CandorError, anything else unchanged
 */
export function toFailure(error: unknown, detail?: unknown): unknown {
  if (!(error instanceof CandorError)) return error;
  return ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: !error.info.retryable,
    details: [detail ?? error.info],
    ...(error.cause instanceof Error ? { cause: error.cause } : {}),
    ...(error.info.retryAfterMs === undefined ? {} : { nextRetryDelay: error.info.retryAfterMs }),
  });
}

/** Runs an activity's body with that mapping. */
export async function withFailures<Result>(body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    throw toFailure(error);
  }
}
