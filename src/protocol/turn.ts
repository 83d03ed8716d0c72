// A turn as Temporal sees it: the workflow's names, input, signals, queries and results. Shared by the gateway, which
// starts and signals, and the workflow, which answers.

import type { CancelledBy, SequencedEvent, AgentCompleted } from './events.ts';
import type { AgentId, AuditId, ConversationId, TurnId, UserId } from './ids.ts';

export const chatTurnType = 'ChatTurn';
export const auditType = 'Audit';
export const defaultTaskQueue = 'candor';

/** What a message does when its conversation is busy. */
export type BusyMode = 'enqueue' | 'interrupt' | 'reject';
export type Tier = 'free' | 'early' | 'mid' | 'enterprise';

export interface Attachment {
  readonly name: string;
  readonly mediaType: string;
  readonly text: string;
}

/** Input of `ChatTurn`. */
export interface TurnInput {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly userId: UserId;
  readonly agentId: AgentId;
  readonly text: string;
  /** As sent; `null`: the leaf that is selected when the turn is linked. */
  readonly parentTurnId: TurnId | null;
  readonly regenerateOf: TurnId | null;
  readonly attachments: readonly Attachment[];
  readonly busy: BusyMode;
  readonly tier: Tier;
  /** See {@link contentToHash}. */
  readonly contentSha256: string;
}

/** Memo of `ChatTurn`: enough to tell whose turn it is without its text. */
export interface TurnMemo {
  readonly conversationId: ConversationId;
  readonly userId: UserId;
  readonly agentId: AgentId;
  readonly contentSha256: string;
}

/** The canonical text whose SHA-256 tells «the same message sent twice» from «another message under a used id». */
export function contentToHash(turn: Omit<TurnInput, 'contentSha256' | 'busy' | 'tier' | 'turnId'>): string {
  const attachments = turn.attachments.map((a) => [a.name, a.mediaType, a.text]);
  return JSON.stringify([
    turn.userId,
    turn.agentId,
    turn.conversationId,
    turn.parentTurnId,
    turn.regenerateOf,
    attachments,
    turn.text,
  ]);
}

export interface CancelSignal {
  readonly by: CancelledBy;
  /** ISO 8601, when the gateway received it. */
  readonly requestedAt: string;
}
export interface InterruptSignal {
  readonly byTurnId: TurnId;
  readonly requestedAt: string;
}
export interface FollowSignal {
  readonly turnId: TurnId;
}
export interface ReleasedSignal {
  readonly turnId: TurnId;
  /** The sender was withdrawn while queued: wait for this turn in its place. `null`: go. */
  readonly waitFor: TurnId | null;
}

export const signals = {
  cancel: 'cancel',
  interrupt: 'interrupt',
  withdraw: 'withdraw',
  follow: 'follow',
  released: 'released',
} as const;

/** Answers {@link TurnLog}: the log of an open turn, its texts included. */
export const logQuery = 'log';
/** Answers {@link StepText}[]: lets the store read an answer that stands once in history, in the model call's result. */
export const stepTextsQuery = 'stepTexts';

/** Text of one step that really came from a model and was not discarded. */
export interface StepText {
  readonly agentId: AgentId;
  readonly step: number;
  readonly attempt: number;
  readonly text: string;
  readonly reasoning: string;
  readonly sha256: string;
  readonly incomplete: boolean;
}

/** A log entry without the text that a step's result already holds. */
export type LoggedEvent = Exclude<SequencedEvent, AgentCompleted> | Omit<AgentCompleted, 'text'>;

export interface TurnLog {
  readonly log: readonly SequencedEvent[];
  /** Of every step that is over and was not discarded: what its events do not hold is its reasoning, or all of a stopped one. */
  readonly texts: readonly StepText[];
}

/** How a turn ended: result of a `ChatTurn` that closed Completed; first detail of one that closed Failed. */
export interface TurnResult {
  readonly outcome: 'completed' | 'failed' | 'cancelled';
  /** Ends with the terminal event. */
  readonly log: readonly LoggedEvent[];
}

/** Removes the texts that a log entry shares with a step's result. */
export function toLogged(event: SequencedEvent): LoggedEvent {
  if (event.type !== 'agent_completed') return event;
  const { text: _text, ...rest } = event;
  return rest;
}

/** Puts the texts back; a text that is gone leaves an empty one, which `sha256` gives away. */
export function toSequenced(event: LoggedEvent, texts: readonly StepText[]): SequencedEvent {
  if (event.type !== 'agent_completed') return event;
  const text = texts.find((t) => t.step === event.step && t.attempt === event.attempt)?.text ?? '';
  return { ...event, text };
}

/** Input of `Audit`: references only. */
export interface AuditInput {
  readonly auditId: AuditId;
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly userId: UserId;
  readonly agentId: AgentId;
}

/** Name → type of every search attribute; opaque ids and codes only, never text. */
export const searchAttributes = {
  CandorConversation: 'Keyword',
  CandorAgent: 'Keyword',
  CandorUser: 'Keyword',
  CandorOutcome: 'Keyword',
  CandorErrorCode: 'Keyword',
  CandorAuditVerdict: 'Keyword',
  CandorAuditConfidence: 'Double',
} as const satisfies Record<string, 'Keyword' | 'Double'>;
