// The activities as the workflows see them. Inputs and results enter history: ids, hashes, decisions, and each final
// text once, in the result of `stream`.

import type { AuditVerdict, Citation, ContextItem } from './events.ts';
import type { ErrorInfo } from './errors.ts';
import type { AgentId, AuditId, ConversationId, TurnId, UserId } from './ids.ts';
import type { TerminalDraft } from './closing.ts';
import type { Receipt, Usage } from './receipt.ts';
import type { AuditInput, LoggedEvent, TurnInput, TurnResult } from './turn.ts';

export interface RetrieveAgentInput {
  readonly turn: TurnInput;
  /** The turn that was waited for and is over; `null` at the first call. */
  readonly released: TurnId | null;
  /** The engine knows no open workflow of the released turn: if the graph has no end of it, it never will. */
  readonly releasedIsGone: boolean;
}

/** What the workflow needs of an agent; the system prompt is in the stored prompt. */
export interface AgentPlan {
  readonly agentId: AgentId;
  readonly name: string;
  /** Name for the backend; the configured default is already put in. */
  readonly model: string;
  readonly temperature: number | null;
  readonly maxTokens: number | null;
  readonly maxSteps: number;
  /** Tries of one model call, the published default and what the user's tier adds included. */
  readonly maxAttempts: number;
  readonly timeouts: StreamTimeouts;
  readonly turnMs: number;
  /** Told with every error of the turn; absent: nothing is. */
  readonly support?: string;
}

export interface StreamTimeouts {
  readonly connectMs: number;
  readonly firstTokenMs: number;
  readonly silenceMs: number;
}

export type RetrieveAgentResult =
  | {
      readonly kind: 'ready';
      readonly plan: AgentPlan;
      /** Turn that this one answers to, as linked. */
      readonly parentTurnId: TurnId | null;
      readonly previousReceiptSha256: string | null;
      readonly promptSha256: string;
      readonly context: readonly ContextItem[];
    }
  | { readonly kind: 'busy'; readonly behind: TurnId; readonly linked: boolean }
  | { readonly kind: 'finished'; readonly result: TurnResult };

export interface StreamInput {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly agentId: AgentId;
  readonly step: number;
  readonly attempt: number;
  /** `seq` of the `agent_thinking` that announced this call. */
  readonly after: number;
  readonly promptSha256: string;
  readonly model: string;
  readonly temperature: number | null;
  readonly maxTokens: number | null;
  readonly timeouts: StreamTimeouts;
  /** Milliseconds that the turn has left for this call, from the moment the model is ready. */
  readonly remainingMs: number;
}

export interface StreamResult {
  readonly text: string;
  readonly reasoning: string;
  readonly sha256: string;
  /** `stopped`: the call was ended from here and this is what had come. */
  readonly outcome: 'answered' | 'stopped';
  readonly finishReason: string | null;
  readonly incomplete: boolean;
  readonly usage: Usage;
  readonly responseId: string | null;
  readonly model: string | null;
  readonly backend: string;
  readonly upstreamClosedAt: string | null;
  readonly charsAfterStop: number | null;
  readonly citations: readonly Citation[];
  readonly unsupported: readonly string[];
}

/** First detail of the ApplicationFailure of a failed `stream`. */
export interface StreamFailure {
  readonly error: ErrorInfo;
  /** UTF-16 units that were shown, all channels. */
  readonly shownChars: number;
  /** True when that is a lower bound: it was told by others, from the last heartbeat. */
  readonly atLeast?: boolean;
  /** Milliseconds that were spent waiting for a model to load: they do not count against the turn. */
  readonly loadingMs: number;
  readonly responseId: string | null;
  readonly finishReason: string | null;
  readonly usage: Usage;
  readonly backend: string | null;
}

/** What `stream` heartbeats: the text so far, for readers that come while it runs. */
export interface StreamHeartbeat {
  readonly step: number;
  readonly attempt: number;
  readonly after: number;
  readonly answer: string;
  readonly reasoning: string;
  readonly loading: boolean;
}

export interface StoreConversationInput {
  readonly turn: Omit<TurnInput, 'text' | 'attachments'>;
  /** SHA-256 of the answer; the text itself is asked of the workflow. `null`: there is no text. */
  readonly answerSha256: string | null;
  /** Everything before the closing events; see `closeLog`. */
  readonly log: readonly LoggedEvent[];
  readonly terminal: TerminalDraft;
  /** Time of the closing events of a turn without text; `null`: the store's own time decides. */
  readonly closedAt: string | null;
  readonly citations: readonly Citation[];
}

export interface StoreConversationResult {
  /** ISO 8601; the time of every closing event. */
  readonly storedAt: string;
}

export interface TurnActivities {
  /** Proves the owner, links the turn, and, when the conversation is free, loads the agent and stores its prompt. */
  retrieveAgent(input: RetrieveAgentInput): Promise<RetrieveAgentResult>;
  /** One model call. Heartbeats; asked to stop it returns what it has. */
  stream(input: StreamInput): Promise<StreamResult>;
  /** Signs a receipt with the worker's key; a local activity, so that the signature stands in history once. */
  signReceipt(receipt: Receipt): Promise<{ readonly jws: string }>;
  /** Writes the end of a turn into the graph. Idempotent by `turnId`. */
  storeConversation(input: StoreConversationInput): Promise<StoreConversationResult>;
}

/** Deterministic observations about an answer, made before a model is asked. */
export interface AuditFinding {
  readonly kind: 'unsupported_source' | 'incomplete' | 'stopped' | 'hash_mismatch' | 'no_context';
  readonly detail: string;
}

export interface AnalyzeResult {
  readonly applicable: boolean;
  readonly findings: readonly AuditFinding[];
  readonly questionSha256: string | null;
  readonly answerSha256: string | null;
  readonly contextIds: readonly string[];
}

export interface CallLlmInput {
  readonly audit: AuditInput;
  readonly findings: readonly AuditFinding[];
  readonly answerSha256: string;
}

export interface CallLlmResult {
  readonly isIncorrect: boolean;
  /** 0 to 1. */
  readonly confidence: number;
  readonly reason: string;
  readonly model: string | null;
  readonly responseId: string | null;
  readonly usage: Usage;
}

export interface AuditRecord {
  readonly auditId: AuditId;
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly userId: UserId;
  readonly agentId: AgentId;
  readonly verdict: AuditVerdict;
  readonly confidence: number | null;
  readonly reason: string;
  readonly isIncorrect: boolean | null;
  readonly findings: readonly AuditFinding[];
  readonly error: ErrorInfo | null;
  readonly model: string | null;
  readonly responseId: string | null;
  readonly usage: Usage | null;
  /** ISO 8601. */
  readonly recordedAt: string;
}

export interface AuditActivities {
  /** Collects the turn, its context and deterministic findings. */
  analyze(input: AuditInput): Promise<AnalyzeResult>;
  /** Asks the auditor's model; malformed output is a failure. */
  callLlm(input: CallLlmInput): Promise<CallLlmResult>;
  /** Writes the record, idempotent by `auditId`, and tells watchers. */
  enqueueRecord(record: Omit<AuditRecord, 'recordedAt'>): Promise<{ readonly recordedAt: string }>;
}
