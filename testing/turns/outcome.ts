// How a turn of the rig ended, whether its workflow completed or failed.

import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { ErrorCode, ErrorInfo } from '../../src/protocol/errors.ts';
import type { LoggedEvent, TurnResult } from '../../src/protocol/turn.ts';
import type { TurnUnderTest } from './turn-rig.ts';

/** How a workflow that must fail failed. @throws Error when it completes */
export async function failureOf(handle: WorkflowHandle): Promise<ApplicationFailure> {
  try {
    await handle.result();
  } catch (error) {
    if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return error.cause;
    throw error;
  }
  throw new Error('unable to tell how the workflow failed; it completed');
}

/** The log of a turn whose workflow failed. */
export const logOf = (failure: ApplicationFailure): readonly LoggedEvent[] => (failure.details?.[0] as TurnResult).log;

export interface Attempt {
  readonly attempt: number;
  /** `null`: it answered, or was stopped. */
  readonly code: ErrorCode | null;
  /** Milliseconds that the user was told to wait for the next one; `null`: there was none. */
  readonly waitMs: number | null;
}

export interface TurnOutcome extends TurnResult {
  /** Of a failed turn. */
  readonly error: ErrorInfo | null;
  readonly attempts: readonly Attempt[];
}

/** Waits for the end of a turn, with time skipped. @throws WorkflowFailedError when the workflow ended without a log */
export async function outcomeOf({ handle }: Pick<TurnUnderTest, 'handle'>): Promise<TurnOutcome> {
  const result = await settled(handle);
  const last = result.log.at(-1);
  return { ...result, error: last?.type === 'turn_failed' ? last.error : null, attempts: attemptsOf(result.log) };
}

async function settled(handle: WorkflowHandle): Promise<TurnResult> {
  try {
    return (await handle.result()) as TurnResult;
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
    const result = cause instanceof ApplicationFailure ? (cause.details?.[0] as TurnResult | undefined) : undefined;
    if (result === undefined) throw error;
    return result;
  }
}

function attemptsOf(log: readonly LoggedEvent[]): Attempt[] {
  return log
    .filter((event) => event.type === 'agent_thinking')
    .map(({ step, attempt }) => {
      const failed = log.find((e) => e.type === 'attempt_failed' && e.step === step && e.attempt === attempt);
      if (failed?.type === 'attempt_failed') {
        const waitMs = Date.parse(failed.retryAt) - Date.parse(failed.time);
        return { attempt, code: failed.error.code, waitMs };
      }
      const last = log.find((e) => e.type === 'agent_failed' && e.step === step && e.attempt === attempt);
      return { attempt, code: last?.type === 'agent_failed' ? last.error.code : null, waitMs: null };
    });
}
