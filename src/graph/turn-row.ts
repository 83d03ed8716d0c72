// A turn as Neo4j holds it, and back. Logs, steps and receipts are JSON in properties: they are read whole or not at
// all, and Neo4j has no nested values.

import type { AuditRecord } from '../protocol/activities.ts';
import type { ErrorInfo } from '../protocol/errors.ts';
import type { AgentId, AuditId, ConversationId, TurnId, UserId } from '../protocol/ids.ts';
import type { StoredTurn } from '../protocol/ports.ts';
import type { LoggedEvent, StepText, TurnResult } from '../protocol/turn.ts';
import { toLostEnd } from './lost-end.ts';

/** Properties of a `Turn` node; a property that was never set is `null` or absent. */
export interface TurnProperties {
  readonly id: TurnId;
  readonly userId: UserId;
  readonly agentId: AgentId;
  readonly text: string;
  readonly contentSha256: string;
  readonly createdAt: string;
  /** Place in the order of linking, from 1. */
  readonly position: number;
  readonly outcome?: TurnResult['outcome'] | null;
  readonly logJson?: string | null;
  readonly stepsJson?: string | null;
  readonly storedAt?: string | null;
}

export interface AuditProperties {
  readonly id: AuditId;
  readonly verdict: AuditRecord['verdict'];
  readonly confidence?: number | null;
  readonly reason: string;
  readonly errorJson?: string | null;
  readonly recordedAt: string;
}

export interface TurnRow {
  readonly turn: TurnProperties;
  readonly conversationId: ConversationId;
  readonly parentTurnId: TurnId | null;
  readonly audit: AuditProperties | null;
}

/** The columns of a {@link TurnRow}, for a query that has bound `c` and `t`. */
export const turnColumns = `
  t {.id, .userId, .agentId, .text, .contentSha256, .createdAt, .position, .outcome, .logJson, .stepsJson, .storedAt}
    AS turn,
  c.id AS conversationId,
  head([(t)-[:PARENT]->(p:Turn) | p.id]) AS parentTurnId,
  head([(a:AuditRecord)-[:AUDITS]->(t) | a {.id, .verdict, .confidence, .reason, .errorJson, .recordedAt}]) AS audit`;

/** `null` while the turn is open. */
export function toTurnResult({ turn, conversationId, parentTurnId }: Omit<TurnRow, 'audit'>): TurnResult | null {
  const { id: turnId, outcome, logJson, agentId, text, createdAt, storedAt } = turn;
  if (outcome == null) return null;
  if (logJson == null) {
    const endedAt = storedAt ?? createdAt;
    return toLostEnd({ turnId, conversationId, agentId, text, parentTurnId, createdAt, endedAt });
  }
  return { outcome, log: JSON.parse(logJson) as LoggedEvent[] };
}

export function toStoredTurn(row: TurnRow): StoredTurn {
  const { turn, conversationId, parentTurnId, audit } = row;
  const { id: turnId, userId, agentId, text, contentSha256, createdAt, stepsJson } = turn;
  return {
    turnId,
    conversationId,
    userId,
    agentId,
    parentTurnId,
    text,
    contentSha256,
    createdAt,
    result: toTurnResult(row),
    steps: stepsJson == null ? [] : (JSON.parse(stepsJson) as StepText[]),
    audit: audit === null ? null : toAudit(audit),
  };
}

function toAudit({ id, confidence, errorJson, ...audit }: AuditProperties): StoredTurn['audit'] {
  const error = errorJson == null ? null : (JSON.parse(errorJson) as ErrorInfo);
  return { ...audit, auditId: id, confidence: confidence ?? null, error };
}
