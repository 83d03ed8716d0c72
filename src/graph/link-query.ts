// The pieces of Cypher that link a turn, and what they read and write as values. Two ways put them together: under the
// conversation's lock from the beginning, and as foreseen, with the lock in the last moment.

import neo4j from 'neo4j-driver';
import type { TurnId, UserId } from '../protocol/ids.ts';
import type { TurnInput } from '../protocol/turn.ts';
import type { Parameters } from './database.ts';
import type { LinkDecision, LinkFacts, OpenTurn } from './link-decision.ts';
import { toTitle } from './title.ts';
import { toTurnResult, type TurnProperties } from './turn-row.ts';

/** Binds `c`, and holds it until the end of the transaction. The SET is the lock: a MERGE that finds its node takes none. */
export const createAndLock = `
MERGE (c:Conversation {id: $conversationId})
  ON CREATE SET c.ownerId = $userId, c.agentId = $agentId, c.title = $title, c.length = 0, c.createdAt = $now
SET c.lock = $turnId`;

/** For {@link createAndLock} and {@link gatherFacts}. */
export const toLockParameters = (turn: TurnInput, now: string): Parameters => {
  const { conversationId, turnId, userId, agentId, regenerateOf, parentTurnId, text } = turn;
  return { conversationId, turnId, userId, agentId, regenerateOf, parentTurnId, now, title: toTitle(text) };
};

/**
 * Behind a bound `c`, which may be null; binds `parent` and what the columns tell. A parent is looked up by its id and
 * compared: by way of the conversation, the planner would read every turn of it. OPEN leads to the turns without an end,
 * for the same reason.
 */
export const gatherFacts = `
OPTIONAL MATCH (own:Turn {id: $turnId})
OPTIONAL MATCH (own)-[:PARENT]->(recorded:Turn)
OPTIONAL MATCH (again:Turn {id: $regenerateOf}) WHERE again.conversationId = c.id
OPTIONAL MATCH (again)-[:PARENT]->(before:Turn)
OPTIONAL MATCH (named:Turn {id: $parentTurnId}) WHERE named.conversationId = c.id
OPTIONAL MATCH (leaf:Turn {id: c.leaf})
WITH c, own, again, named,
  CASE
    WHEN own IS NOT NULL THEN recorded
    WHEN $regenerateOf IS NOT NULL THEN before
    WHEN $parentTurnId IS NOT NULL THEN named
    ELSE leaf
  END AS parent
CALL (c) {
  MATCH (c)-[:OPEN]->(t:Turn)
  RETURN collect({turnId: t.id, position: t.position}) AS open
}
CALL (parent) {
  OPTIONAL MATCH path = (parent)-[:PARENT*0..12]->(t:Turn) WHERE t.receiptSha256 IS NOT NULL
  RETURN t.receiptSha256 AS previousReceiptSha256 ORDER BY length(path) LIMIT 1
}`;

export const factColumns = `
  c.ownerId AS ownerId, c.length AS length,
  own {.id, .userId, .agentId, .text, .contentSha256, .createdAt, .position, .outcome, .logJson, .storedAt} AS own,
  open, again IS NOT NULL AS knowsRegenerated, named IS NOT NULL AS knowsNamedParent,
  parent.id AS parentTurnId, previousReceiptSha256`;

/** The row of {@link factColumns}; owner and length are `null` when there is no conversation. */
export interface FactsRow extends Omit<LinkFacts, 'own' | 'open' | 'ownerId' | 'length'> {
  readonly ownerId: UserId | null;
  readonly length: number | null;
  readonly open: readonly OpenTurn[];
  readonly own: TurnProperties | null;
}

/** A conversation that is not there yet is free, empty and the sender's. */
export function toLinkFacts(row: FactsRow, { conversationId, userId }: TurnInput): LinkFacts {
  const { own, parentTurnId } = row;
  const facts = { ...row, ownerId: row.ownerId ?? userId, length: row.length ?? 0 };
  if (own === null) return { ...facts, own };
  const result = toTurnResult({ turn: own, conversationId, parentTurnId });
  return { ...facts, own: { userId: own.userId, contentSha256: own.contentSha256, position: own.position, result } };
}

/** Behind a bound and locked `c`; binds `t`. */
export const addTurn = `
OPTIONAL MATCH (parent:Turn {id: $linkTo})
OPTIONAL MATCH (tail:Turn {id: c.tail})
MERGE (u:User {id: $turn.userId})
MERGE (u)-[:OWNS]->(c)
CREATE (c)-[:HAS]->(t:Turn)
CREATE (c)-[:OPEN]->(t)
SET t = $turn, t.position = $position,
  c.tail = t.id, c.leaf = t.id, c.length = $position, c.updatedAt = t.createdAt
FOREACH (_ IN CASE WHEN parent IS NULL THEN [] ELSE [1] END | CREATE (t)-[:PARENT]->(parent))
FOREACH (_ IN CASE WHEN tail IS NULL THEN [] ELSE [1] END | CREATE (t)-[:AFTER]->(tail))`;

/** For {@link addTurn}. */
export const toTurnParameters = (
  turn: TurnInput,
  { parentTurnId, position }: NonNullable<LinkDecision['write']>,
  createdAt: string,
): Parameters & { readonly linkTo: TurnId | null } => {
  const { turnId: id, conversationId, userId, agentId, text, contentSha256 } = turn;
  return {
    linkTo: parentTurnId,
    position: neo4j.int(position),
    turn: { id, conversationId, userId, agentId, text, contentSha256, createdAt },
  };
};
