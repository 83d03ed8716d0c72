// Counts model calls from outside: what goes in and what comes out says all there is to count, so that the call itself
// knows nothing of it.

import { ApplicationFailure } from '@temporalio/activity';
import type { StreamFailure, StreamInput, StreamResult } from '../protocol/activities.ts';
import { isErrorCode } from '../protocol/errors.ts';
import { unknownUsage } from '../protocol/receipt.ts';
import type { CallMetrics } from './call-metrics.ts';

type Stream = (input: StreamInput) => Promise<StreamResult>;

export function countCalls(stream: Stream, metrics: CallMetrics): Stream {
  return async (input) => {
    metrics.callBegan();
    try {
      const result = await stream(input);
      metrics.callEnded(result.outcome, result.text.length + result.reasoning.length, result.usage);
      return result;
    } catch (error) {
      const failure = toStreamFailure(error);
      const code = error instanceof ApplicationFailure && isErrorCode(error.type) ? error.type : 'bug';
      metrics.callEnded(code, failure?.shownChars ?? null, failure?.usage ?? unknownUsage);
      throw error;
    }
  };
}

function toStreamFailure(error: unknown): StreamFailure | null {
  const detail =
    error instanceof ApplicationFailure ? (error.details?.[0] as Partial<StreamFailure> | undefined) : null;
  return detail?.shownChars === undefined ? null : (detail as StreamFailure);
}
