// What each side needs of the other, as types. An adapter a vendor lives in src/llm, src/graph, src/live, src/agents
// and src/api/temporal-*; nobody imports another layer's adapter.

import type { AgentPlan, AuditRecord, StreamHeartbeat } from './activities.ts';
import type { Channel, Citation, ContextItem, TurnAccepted, TurnEvent } from './events.ts';
import type { ErrorCode } from './errors.ts';
import type { AgentId, ConversationId, TurnId, UserId } from './ids.ts';
import type { OutsideEnd } from './outside-end.ts';
import type { Receipt, ReceiptKeyJwk, Usage } from './receipt.ts';
import type { CancelSignal, LoggedEvent, StepText, TurnInput, TurnLog, TurnMemo, TurnResult } from './turn.ts';

// ── The model ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ModelRequest {
  readonly model: string;
  readonly messages: readonly PromptMessage[];
  readonly temperature: number | null;
  readonly maxTokens: number | null;
  /** Validated by the caller all the same: backends do not enforce every keyword. */
  readonly jsonSchema?: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> };
  readonly timeouts: { readonly connectMs: number; readonly firstTokenMs: number; readonly silenceMs: number };
}

export type ModelChunk =
  | { readonly kind: 'text'; readonly channel: Channel; readonly text: string }
  | {
      /** Last, exactly once, and only when the backend gave a finish reason. */
      readonly kind: 'finish';
      readonly finishReason: string;
      readonly usage: Usage;
      readonly responseId: string | null;
      readonly model: string | null;
    };

export interface LanguageModel {
  /** Origin of the backend, without credentials. */
  readonly backend: string;
  /**
   * One call, never retried here. Ends after the `finish` chunk; the caller judges its reason.
   * `signal` closes the connection; the iteration then throws the signal's reason.
   * @throws CandorError with a code of the model's
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelChunk>;
}

/** Why the model cannot answer yet; `null` when it can. */
export type ModelReadiness = () =>
  | { readonly state: 'loading'; readonly progress: number | null }
  | { readonly state: 'failed'; readonly reason: string }
  | null;

// ── Agents ───────────────────────────────────────────────────────────────────────────────────────────────────────

export interface AgentDefinition {
  readonly id: AgentId;
  readonly name: string;
  readonly description: string;
  /** `default` or absent in the file: the configured model of the backend. */
  readonly model: string | null;
  readonly temperature: number | null;
  readonly maxTokens: number | null;
  readonly maxSteps: number;
  readonly historyTokens: number;
  readonly contextTokens: number;
  /** At most so many pieces of knowledge in the prompt. */
  readonly contextItems: number;
  readonly maxAttempts: number;
  readonly timeouts: AgentPlan['timeouts'];
  readonly turnMs: number;
  readonly systemPrompt: string;
}

export interface AgentCatalogue {
  /** As its file is now. @throws CandorError `agent_not_found`, `agent_invalid` */
  load(id: AgentId): Promise<AgentDefinition>;
  /** Valid agents, and the files that are broken with the reason. */
  list(): Promise<{
    readonly agents: readonly AgentDefinition[];
    readonly broken: readonly { readonly file: string; readonly reason: string }[];
  }>;
}

// ── The graph ────────────────────────────────────────────────────────────────────────────────────────────────────
// Every method: @throws CandorError `graph_unavailable` when Neo4j is away; nothing is retried here.

export interface LinkTurnInput {
  readonly turn: TurnInput;
  readonly released: TurnId | null;
  readonly releasedIsGone: boolean;
}

/**
 * `linked`: free to go. `busy`: linked behind an open turn, or, with `busy: reject`, not linked.
 * `full`: too many are queued; not linked. `finished`: the turn has an end already.
 * @throws CandorError `conversation_not_found` for another user's conversation, `turn_not_found` for a parent that is
 * not in it, `turn_conflict` when the id stands for other content
 */
export type LinkTurnResult =
  | { readonly kind: 'linked'; readonly parentTurnId: TurnId | null; readonly previousReceiptSha256: string | null }
  | { readonly kind: 'busy'; readonly behind: TurnId; readonly linked: boolean }
  | { readonly kind: 'full' }
  | { readonly kind: 'finished'; readonly result: TurnResult };

/** What a message would be linked to, as read without a lock: it may be over already. */
export interface Foreseen {
  readonly parentTurnId: TurnId | null;
  readonly previousReceiptSha256: string | null;
  /** Place in the order of linking, from 1. */
  readonly position: number;
  /** The conversation's selected leaf. */
  readonly leaf: TurnId | null;
  /** As `history` would give it. */
  readonly history: readonly Exchange[];
}

export interface Exchange {
  readonly turnId: TurnId;
  readonly question: string;
  readonly answer: string;
  readonly incomplete: boolean;
  /** The audit rejected it: it must not enter a prompt. */
  readonly rejected: boolean;
}

export interface KnowledgeHit {
  readonly id: string;
  readonly source: string;
  readonly title: string;
  readonly text: string;
  readonly score: number;
}

export interface StoredPrompt {
  readonly messages: readonly PromptMessage[];
  readonly sha256: string;
  readonly context: readonly ContextItem[];
}

export interface StoreTurnInput {
  readonly turnId: TurnId;
  readonly outcome: TurnResult['outcome'];
  readonly errorCode: string | null;
  readonly answer: StepText | null;
  readonly steps: readonly StepText[];
  /** Whole, with the closing events. */
  readonly log: readonly LoggedEvent[];
  readonly receiptJson: string | null;
  readonly receiptSha256: string | null;
  readonly citations: readonly Citation[];
  readonly storedAt: string;
}

export interface StoredTurn {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly userId: UserId;
  readonly agentId: AgentId;
  readonly parentTurnId: TurnId | null;
  readonly text: string;
  readonly contentSha256: string;
  readonly createdAt: string;
  /** `null` while it is open. */
  readonly result: TurnResult | null;
  readonly steps: readonly StepText[];
  readonly audit: Pick<AuditRecord, 'auditId' | 'verdict' | 'confidence' | 'reason' | 'error' | 'recordedAt'> | null;
}

export interface ConversationSummary {
  readonly conversationId: ConversationId;
  readonly title: string;
  readonly agentId: AgentId;
  readonly leaf: TurnId | null;
  readonly updatedAt: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Opaque; `null` at the end. */
  readonly next: string | null;
}

/** What a turn's activities need. */
export interface TurnGraph {
  /** One transaction: locks the conversation, creates it when it is new, links the turn by MERGE. */
  linkTurn(input: LinkTurnInput): Promise<LinkTurnResult>;
  /**
   * What a message that was not linked yet would be linked to, with at most `limit` exchanges. `null` when it is not
   * simply free to go: `linkTurn` decides then. Takes no lock and writes nothing.
   */
  foresee(turn: TurnInput, limit: number): Promise<Foreseen | null>;
  /** Links the turn and saves its prompt, if the conversation is still as foreseen. False: nothing was written. */
  linkForeseen(turn: TurnInput, foreseen: Foreseen, prompt: StoredPrompt): Promise<boolean>;
  /** Exchanges that the turn answers to, oldest first: along PARENT, without the turn itself; at most `limit`. */
  history(turnId: TurnId, limit: number): Promise<readonly Exchange[]>;
  searchKnowledge(query: string, limit: number): Promise<readonly KnowledgeHit[]>;
  savePrompt(turnId: TurnId, prompt: StoredPrompt): Promise<void>;
  /** `null` when there is none. */
  readPrompt(turnId: TurnId): Promise<StoredPrompt | null>;
  /** The first end of a turn stays: a second call changes nothing and gives the time of the first. */
  storeTurn(input: StoreTurnInput): Promise<{ readonly storedAt: string }>;
}

/** What the audit's activities need. */
export interface AuditGraph {
  readPrompt(turnId: TurnId): Promise<StoredPrompt | null>;
  turn(turnId: TurnId): Promise<StoredTurn | null>;
  /** Idempotent by `auditId`: the first record stays, and its time is returned. */
  saveAudit(record: AuditRecord): Promise<{ readonly recordedAt: string }>;
}

/** What the gateway reads. */
export interface ReadGraph {
  turn(turnId: TurnId): Promise<StoredTurn | null>;
  /** `null`: not there, or another user's. */
  conversation(userId: UserId, conversationId: ConversationId): Promise<ConversationSummary | null>;
  /** Turns by time. */
  turns(conversationId: ConversationId): Promise<readonly StoredTurn[]>;
  /** Newest first. */
  conversations(userId: UserId, limit: number, next: string | null): Promise<Page<ConversationSummary>>;
  /** @throws CandorError `conversation_not_found` */
  renameConversation(userId: UserId, conversationId: ConversationId, title: string): Promise<void>;
  deleteConversation(userId: UserId, conversationId: ConversationId): Promise<void>;
  /** Resolves when the graph answers. */
  ping(): Promise<void>;
}

/** What the gateway does with the graph: it reads, and it writes the end of a turn whose workflow cannot any more. */
export interface GatewayGraph extends ReadGraph, Pick<TurnGraph, 'storeTurn'> {
  /**
   * Turns without an end of their own, also those that a later turn found gone, linked before `linkedBefore` (ISO
   * 8601), oldest first; at most `limit`.
   */
  openTurns(linkedBefore: string, limit: number, after: OpenTurnMark | null): Promise<readonly OpenTurnMark[]>;
  /** The last turns linked to each of these conversations, `limit` of each, in no order. */
  latestTurns(conversationIds: readonly ConversationId[], limit: number): Promise<readonly LatestTurn[]>;
  /**
   * Whether this engine is the one whose turns the graph holds: the first that asks is. A turn that another engine does
   * not know may be well and running.
   */
  isEngineOfTurns(engineId: string): Promise<boolean>;
}

export interface LatestTurn extends BegunTurn {
  /** Of the conversation too: only an owner's turn is linked. */
  readonly userId: UserId;
}

export interface OpenTurnMark {
  readonly turnId: TurnId;
  readonly userId: UserId;
  readonly createdAt: string;
}

export interface KnowledgeDocument {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly sha256: string;
  readonly chunks: readonly { readonly id: string; readonly heading: string; readonly text: string }[];
}

/** What loading of knowledge needs. */
export interface KnowledgeGraph {
  countDocuments(): Promise<number>;
  /** Replaces the document with the same id and its chunks in one transaction. */
  saveDocument(document: KnowledgeDocument): Promise<void>;
}

/** The public keys of all workers there ever were: whoever holds an old receipt must still find its key. */
export interface ReceiptKeys {
  /** Idempotent by `kid`. */
  publishReceiptKey(key: ReceiptKeyJwk): Promise<void>;
  /** Oldest first. */
  receiptKeys(): Promise<readonly ReceiptKeyJwk[]>;
}

export interface Migrations {
  /** Creates constraints and indexes; safe to repeat and to run from several processes at once. */
  migrate(): Promise<void>;
}

// ── Signatures ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Whoever holds a private key; the key itself stays inside. */
export interface ReceiptSigner {
  readonly publicKey: ReceiptKeyJwk;
  /** @returns compact JWS over the receipt's payload, see `toReceiptPayload` */
  sign(receipt: Receipt): Promise<string>;
}

// ── The live lane ────────────────────────────────────────────────────────────────────────────────────────────────
// May lose, repeat or reorder anything; never awaited by whoever publishes.

export interface LiveLane {
  publish(event: TurnEvent): void;
  /** Replays what the lane still holds of the turn, then goes on. Returns the end of the subscription. */
  subscribe(turnId: TurnId, listener: (event: TurnEvent) => void): () => void;
  /** After the durable signal was acknowledged: asks whoever streams the turn to close its connection now. */
  requestStop(turnId: TurnId, requestedAt: string): void;
  /** Returns the end of the subscription. */
  onStop(turnId: TurnId, listener: (requestedAt: string) => void): () => void;
  /** A turn was started here: gateways where somebody watches its conversation may want to follow it. */
  announce(begun: BegunTurn): void;
  /** Told of turns that were started elsewhere, perhaps also of those started here. Returns the end of the listening. */
  onAnnounced(listener: (begun: BegunTurn) => void): () => void;
  status(): LaneStatus;
  close(): Promise<void>;
}

/** Claimed by whoever started it: nothing of it may be shown before its owner is proved. */
export interface BegunTurn {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
}

/** `memory`: within this process. `redis`: between processes too, while it is connected. */
export type LaneStatus = { readonly kind: 'memory' } | { readonly kind: 'redis'; readonly connected: boolean };

// ── The engine, as the gateway sees it ───────────────────────────────────────────────────────────────────────────

export type EngineEnd =
  | { readonly state: 'closed'; readonly result: TurnResult }
  /** Closed from outside: terminated, timed out, or failed without a log. */
  | ({ readonly state: 'broken' } & OutsideEnd);

export type EngineTurn = { readonly memo: TurnMemo } & (
  { readonly state: 'open'; readonly stand: TurnStand } | EngineEnd
);

/** Where an open turn stands, as the engine knows it without asking a worker. */
export interface TurnStand {
  /** As long as it is the same, so is the turn's log. */
  readonly revision: number;
  /** What was begun and has not ended. */
  readonly pending: readonly PendingStep[];
}

/** A step that an open turn is at. */
export interface PendingStep {
  /** The code of its last try, which failed; `null`: none has, or none failed with a code. */
  readonly errorCode: ErrorCode | null;
  /** ISO 8601, past when no worker has taken it; `null`: it is being tried now. */
  readonly nextTryAt: string | null;
  /** Of a running model call. */
  readonly heartbeat: StreamHeartbeat | null;
}

/** Every method: @throws CandorError `engine_unavailable` when Temporal is away. */
export interface TurnEngine {
  /** Tells this engine from every other one, also after a restart on the same database; another namespace is another. */
  id(): Promise<string>;
  /** `started: false`: a workflow of this id exists, open or closed; nothing was started. */
  start(input: TurnInput): Promise<{ readonly started: boolean }>;
  /** `null`: no such workflow (never was, or retention is over). */
  find(turnId: TurnId): Promise<EngineTurn | null>;
  /** Resolves when the workflow has closed; long. `null` as in `find`. Throws the signal's reason. */
  waitForEnd(turnId: TurnId, signal: AbortSignal): Promise<EngineEnd | null>;
  /** The log as the workflow tells it, also of one that was ended from outside. `null`: no worker answered in time. */
  log(turnId: TurnId, timeoutMs: number): Promise<TurnLog | null>;
  /** The first event of a turn, from its workflow’s input; `null` as in `find`. */
  accepted(turnId: TurnId): Promise<TurnAccepted | null>;
  /** `null`: it is not open. */
  stand(turnId: TurnId): Promise<TurnStand | null>;
  /** False: the turn is over already. True: the signal is durable. */
  cancel(turnId: TurnId, signal: CancelSignal): Promise<boolean>;
  withdraw(turnId: TurnId, signal: CancelSignal): Promise<boolean>;
  /** Address of the turn in Temporal UI; `null` when no UI is configured. */
  link(turnId: TurnId): string | null;
  ping(): Promise<void>;
}
