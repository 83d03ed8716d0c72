// The last events of a turn. Computed by one function in two places, the workflow that sends them and the store that
// keeps them, so that the log in the graph is the log that was shown, also long after Temporal has forgotten the turn.

import type { ConversationStored, AuditStarted, TurnCancelled, TurnCompleted, TurnFailed } from './events.ts';
import { auditWorkflowId } from './ids.ts';
import type { LoggedEvent, TurnInput } from './turn.ts';

type Draft<Event> = Omit<Event, 'seq' | 'time' | 'turnId' | 'conversationId'>;

/** A terminal event before its place in the log is known. */
export type TerminalDraft = Draft<TurnCompleted> | Draft<TurnFailed> | Draft<TurnCancelled>;

/**
 * The events that end a turn, in order. With text: `conversation_stored`, `audit_started`, the terminal; without: the
 * terminal alone.
 *
 * @param before the log so far
 * @param closedAt ISO 8601; the time of the store, which decides all of them
 */
export function closingEvents(
  turn: Pick<TurnInput, 'turnId' | 'conversationId'>,
  before: readonly LoggedEvent[],
  terminal: TerminalDraft,
  hasText: boolean,
  closedAt: string,
): (ConversationStored | AuditStarted | TurnCompleted | TurnFailed | TurnCancelled)[] {
  const { turnId, conversationId } = turn;
  const seq = before.length;
  const envelope = { conversationId, turnId, time: closedAt };
  if (!hasText) return [{ ...terminal, ...envelope, seq: seq + 1 }];
  return [
    { type: 'conversation_stored', ...envelope, seq: seq + 1, storedAt: closedAt },
    { type: 'audit_started', ...envelope, seq: seq + 2, auditId: auditWorkflowId(turnId) },
    { ...terminal, ...envelope, seq: seq + 3 },
  ];
}
