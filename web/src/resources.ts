// What the gateway's REST routes answer, as the page reads it. Fields that the page does not show are left out.

import type { AgentSummary } from '../../src/protocol/frames.ts';
import type { AuditVerdict, Citation } from '../../src/protocol/events.ts';
import type { ErrorInfo } from '../../src/protocol/errors.ts';
import type { AgentId, ConversationId, TurnId, UserId } from '../../src/protocol/ids.ts';
import type { Receipt } from '../../src/protocol/receipt.ts';
import type { TurnState } from '../../src/protocol/transcript.ts';

export interface AuditResource {
  readonly auditId: string;
  readonly verdict: AuditVerdict;
  /** 0 to 1. */
  readonly confidence: number | null;
  readonly reason: string;
  readonly error?: ErrorInfo | null;
}

export interface StepResource {
  readonly step: number;
  readonly text: string;
}

export interface TurnResource {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  /** `null` while neither the engine nor the graph has answered. */
  readonly agentId: AgentId | null;
  readonly state: TurnState;
  readonly text: string | null;
  readonly answer: string | null;
  readonly error: ErrorInfo | null;
  readonly receipt: Receipt | null;
  readonly audit: AuditResource | null;
  readonly steps: readonly StepResource[];
  readonly links: { readonly temporal: string | null };
  readonly citations?: readonly Citation[];
}

export interface ConversationResource {
  readonly conversationId: ConversationId;
  readonly title: string;
  readonly agentId: AgentId;
  readonly leaf: TurnId | null;
  /** ISO 8601. */
  readonly updatedAt: string;
}

export interface ConversationWithTurns extends ConversationResource {
  /** By time. */
  readonly turns: readonly TurnResource[];
}

export interface ListOf<Item> {
  readonly items: readonly Item[];
  /** Opaque; `null` at the end. */
  readonly next: string | null;
}

export interface AgentsResource {
  readonly agents: readonly AgentSummary[];
}

export interface ModelStatus {
  readonly state: 'ready' | 'loading' | 'failed' | 'none';
  readonly name: string | null;
  readonly detail?: string | null;
  /** 0 to 1. */
  readonly progress?: number | null;
  /** A small local model: its answers want checking. */
  readonly small?: boolean;
}

export interface StatusResource {
  readonly model: ModelStatus;
  readonly temporalUi: string | null;
}

export interface SessionResource {
  readonly token: string;
  /** ISO 8601. */
  readonly expiresAt: string;
  readonly user: UserId;
}
