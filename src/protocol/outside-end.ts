// The end of a turn whose workflow was ended from outside: terminated, timed out, or forgotten by Temporal. Its own
// outcome will never come, so whoever finds it makes the last events, by this one function: the gateway that follows the
// turn, the sweep that finds one which nobody follows, and the graph where a later turn found it gone.

import { toErrorInfo } from './errors.ts';
import type { AgentFailed, TurnFailed } from './events.ts';
import type { AgentId, ConversationId, TurnId } from './ids.ts';
import type { LoggedEvent, TurnResult } from './turn.ts';

/** `closed`: in a way that Candor does not close turns. `gone`: Temporal knows no workflow of this turn. */
export type OutsideCause = 'terminated' | 'timed_out' | 'closed' | 'gone';

const reasons: Readonly<Record<OutsideCause, string>> = {
  terminated: 'its workflow was terminated from outside',
  timed_out: 'its workflow ran out of time in Temporal',
  closed: 'its workflow was closed from outside',
  gone: 'its workflow is gone from Temporal',
};

export interface OutsideEnd {
  readonly cause: OutsideCause;
  /** ISO 8601. */
  readonly closedAt: string;
}

/**
 * The log as it was, and behind it `agent_failed`, which withdraws the text of a call that was running, and
 * `turn_failed` without a receipt: nobody was left who could have made one.
 *
 * @param shownChars UTF-16 units of the running call that are known to have been shown; others may have seen more
 */
export function toOutsideResult(
  turn: { readonly turnId: TurnId; readonly conversationId: ConversationId; readonly agentId: AgentId },
  before: readonly LoggedEvent[],
  { cause, closedAt }: OutsideEnd,
  shownChars = 0,
): TurnResult {
  const { turnId, conversationId, agentId } = turn;
  const error = toErrorInfo('internal', { facts: { reason: reasons[cause] } });
  const envelope = { turnId, conversationId, time: closedAt };
  const last = before.at(-1);
  const call = last?.type === 'agent_thinking' ? last : null;
  const failed: AgentFailed = {
    type: 'agent_failed',
    ...envelope,
    seq: before.length + 1,
    agentId: call?.agentId ?? agentId,
    ...(call === null ? {} : { step: call.step, attempt: call.attempt, atLeast: true as const }),
    discardedChars: call === null ? 0 : shownChars,
    error,
  };
  const log = last?.type === 'agent_failed' ? before : [...before, failed];
  const ended: TurnFailed = { type: 'turn_failed', ...envelope, seq: log.length + 1, error, receipt: null };
  return { outcome: 'failed', log: [...log, ended] };
}

/** Whether the end of this log was made in place of the workflow's own. */
export function isOutsideEnd({ log }: Pick<TurnResult, 'log'>): boolean {
  const last = log.at(-1);
  return last?.type === 'turn_failed' && last.receipt === null;
}
