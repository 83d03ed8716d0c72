// Everything a client can be told about a turn. One union, each member documented with when it is sent, what precedes
// it and whether it ends the turn. Receivers ignore types and fields that they do not know.

import type { ErrorInfo } from './errors.ts';
import type { AgentId, AuditId, ConversationId, TurnId } from './ids.ts';
import type { Receipt, Usage } from './receipt.ts';

interface Envelope {
  readonly conversationId: ConversationId;
  readonly turnId: TurnId;
  /** ISO 8601. */
  readonly time: string;
}

interface Sequenced extends Envelope {
  /** 1, 2, 3 … without gaps in a turn. */
  readonly seq: number;
}

/** A piece of knowledge that was put into the prompt. */
export interface ContextItem {
  readonly id: string;
  readonly source: string;
  /** Full-text score as the graph gave it; comparable within one list only. */
  readonly score: number;
}

/** A source that the answer names. */
export interface Citation {
  readonly id: string;
  readonly source: string;
}

/** First event of every turn, always. */
export interface TurnAccepted extends Sequenced {
  readonly type: 'turn_accepted';
  readonly agentId: AgentId;
  readonly text: string;
  readonly parentTurnId?: TurnId;
}
/** The turn waits for an earlier turn of its conversation. After `turn_accepted`; again when it waits for another. */
export interface TurnQueued extends Sequenced {
  readonly type: 'turn_queued';
  readonly behind: TurnId;
}
/** The agent was really loaded and its context retrieved. Before its first `agent_thinking`. */
export interface AgentStarted extends Sequenced {
  readonly type: 'agent_started';
  readonly agentId: AgentId;
  readonly model: string;
  readonly parentAgentId?: AgentId;
  readonly context: readonly ContextItem[];
}
/** A model call begins. Every delta of the call comes after it. */
export interface AgentThinking extends Sequenced {
  readonly type: 'agent_thinking';
  readonly agentId: AgentId;
  readonly step: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly model: string;
  readonly reasoning?: string;
}
/** A model call failed and will be tried again at `retryAt`; its text is discarded. After its `agent_thinking`. */
export interface AttemptFailed extends Sequenced {
  readonly type: 'attempt_failed';
  readonly agentId: AgentId;
  readonly step: number;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly error: ErrorInfo;
  readonly retryAt: string;
  /** UTF-16 units shown and now withdrawn, reasoning included. */
  readonly discardedChars: number;
  /** Present when the number is a lower bound: the worker died and its last heartbeat trails what was shown. */
  readonly atLeast?: true;
}
/** A genuine end of an agent: its model replied. After all deltas of the step. */
export interface AgentCompleted extends Sequenced {
  readonly type: 'agent_completed';
  readonly agentId: AgentId;
  readonly step: number;
  readonly attempt: number;
  readonly text: string;
  /** UTF-16 units of the call's reasoning; absent: it had none. */
  readonly reasoningChars?: number;
  readonly finishReason: string;
  /** The model stopped at a limit of length: the text is genuine, not whole. */
  readonly incomplete: boolean;
  readonly citations: readonly Citation[];
  /** Sources that the text names and the prompt did not hold. */
  readonly unsupported: readonly string[];
  readonly usage: Usage;
  readonly sha256: string;
}
/** An agent ended without a genuine reply. Before `turn_failed`; before `turn_cancelled` when its call broke while it was stopped. */
export interface AgentFailed extends Sequenced {
  readonly type: 'agent_failed';
  readonly agentId: AgentId;
  readonly step?: number;
  readonly attempt?: number;
  readonly discardedChars: number;
  readonly atLeast?: true;
  readonly error: ErrorInfo;
}
/** The graph has question and answer. */
export interface ConversationStored extends Sequenced {
  readonly type: 'conversation_stored';
  readonly storedAt: string;
}
/** The audit's workflow exists. After `conversation_stored`. */
export interface AuditStarted extends Sequenced {
  readonly type: 'audit_started';
  readonly auditId: AuditId;
}
/** Terminal: answered and stored. */
export interface TurnCompleted extends Sequenced {
  readonly type: 'turn_completed';
  readonly receipt: Receipt;
}
/** Terminal: ended without an answer. */
export interface TurnFailed extends Sequenced {
  readonly type: 'turn_failed';
  readonly error: ErrorInfo;
  readonly receipt: Receipt | null;
}
/** Terminal: stopped by a person or by an interrupting message. */
export interface TurnCancelled extends Sequenced {
  readonly type: 'turn_cancelled';
  readonly by: CancelledBy;
  readonly requestedAt: string;
  /** When the connection to the model was closed; `null` when none was open or its worker is dead. */
  readonly upstreamClosedAt: string | null;
  /** UTF-16 units that arrived after the stop was asked for; `null` when unknown. */
  readonly charsAfterStop: number | null;
  readonly receipt: Receipt;
}
/** `user` by `cancel`, `withdraw` while queued; `interrupt` by a later message; `operator` from Temporal. */
export type CancelledBy = 'user' | 'withdrawn' | 'interrupt' | 'operator';

/** Text arrived. Not sequenced: addressed by (step, attempt, channel, offset) and applied at most once. */
export interface Delta extends Envelope {
  readonly type: 'delta';
  readonly agentId: AgentId;
  readonly step: number;
  readonly attempt: number;
  readonly channel: Channel;
  /** UTF-16 units before this text in its stream. Never inside a surrogate pair. */
  readonly offset: number;
  readonly text: string;
  /** The turn's last `seq` when the text arrived: at least that of its `agent_thinking`. */
  readonly after: number;
}
export type Channel = 'answer' | 'reasoning';

/** Nothing happened for a while, or a part is away. Not sequenced; the next event ends it. */
export interface Waiting extends Envelope {
  readonly type: 'waiting';
  readonly reason: WaitingReason;
  readonly since: string;
  readonly until?: string;
  /** The part that is away, when that is the reason: `engine_unavailable`, `graph_unavailable`. */
  readonly error?: ErrorInfo;
}
export type WaitingReason =
  'model' | 'model_loading' | 'tool' | 'approval' | 'graph' | 'engine' | 'worker' | 'queue' | 'retry';

/** The audit's verdict is in. After the terminal; idempotent by `auditId`. */
export interface AuditCompleted extends Envelope {
  readonly type: 'audit_completed';
  readonly auditId: AuditId;
  readonly verdict: AuditVerdict;
  readonly confidence: number | null;
  readonly reason: string;
}
/** The audit ended without a verdict; a person has to look. After the terminal; idempotent by `auditId`. */
export interface AuditFailed extends Envelope {
  readonly type: 'audit_failed';
  readonly auditId: AuditId;
  readonly error: ErrorInfo;
}
export type AuditVerdict = 'accepted' | 'flagged' | 'rejected' | 'failed' | 'not_applicable';

export type TerminalEvent = TurnCompleted | TurnFailed | TurnCancelled;
export type SequencedEvent =
  | TurnAccepted
  | TurnQueued
  | AgentStarted
  | AgentThinking
  | AttemptFailed
  | AgentCompleted
  | AgentFailed
  | ConversationStored
  | AuditStarted
  | TerminalEvent;
export type UnsequencedEvent = Delta | Waiting | AuditCompleted | AuditFailed;
export type TurnEvent = SequencedEvent | UnsequencedEvent;

export function isSequenced(event: TurnEvent): event is SequencedEvent {
  return 'seq' in event;
}

export function isTerminal(event: TurnEvent): event is TerminalEvent {
  return event.type === 'turn_completed' || event.type === 'turn_failed' || event.type === 'turn_cancelled';
}
