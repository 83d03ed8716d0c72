// Links a turn into its conversation, in one transaction whose first act is the conversation's write lock: messages
// that arrive together, also the first ones of a conversation that is not there yet, are linked one after the other.
// Two queries: read under the lock, write what was decided. The first event of a turn waits for them.

import neo4j from 'neo4j-driver';
import type { ConversationId, TurnId, UserId } from '../protocol/ids.ts';
import type { LinkTurnInput, LinkTurnResult } from '../protocol/ports.ts';
import type { TurnInput } from '../protocol/turn.ts';
import type { Database, RunQuery } from './database.ts';
import { decideLink, type LinkDecision, type LinkFacts, type OpenTurn } from './link-decision.ts';
import { toTitle } from './title.ts';
import { toTurnResult, type TurnProperties } from './turn-row.ts';

// A conversation is created here and rolled back when the decision is to write nothing. The SET is the lock: a MERGE
// that finds its node takes none. A parent is looked up by its id and compared: by way of the conversation, the planner
// would read every turn of it. OPEN leads to the turns without an end, for the same reason.
const lockAndRead = `
MERGE (c:Conversation {id: $conversationId})
  ON CREATE SET c.ownerId = $userId, c.agentId = $agentId, c.title = $title, c.length = 0, c.createdAt = $now
SET c.lock = $turnId
WITH c
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
}
RETURN c.ownerId AS ownerId, c.length AS length,
  own {.id, .userId, .agentId, .text, .contentSha256, .createdAt, .position, .outcome, .logJson, .storedAt} AS own,
  open, again IS NOT NULL AS knowsRegenerated, named IS NOT NULL AS knowsNamedParent,
  parent.id AS parentTurnId, previousReceiptSha256`;

const link = `
MATCH (c:Conversation {id: $conversationId})
OPTIONAL MATCH (parent:Turn {id: $parentTurnId})
OPTIONAL MATCH (tail:Turn {id: c.tail})
MERGE (u:User {id: $turn.userId})
MERGE (u)-[:OWNS]->(c)
CREATE (c)-[:HAS]->(t:Turn)
CREATE (c)-[:OPEN]->(t)
SET t = $turn, t.position = $position,
  c.tail = t.id, c.leaf = t.id, c.length = $position, c.updatedAt = t.createdAt
FOREACH (_ IN CASE WHEN parent IS NULL THEN [] ELSE [1] END | CREATE (t)-[:PARENT]->(parent))
FOREACH (_ IN CASE WHEN tail IS NULL THEN [] ELSE [1] END | CREATE (t)-[:AFTER]->(tail))`;

// LOST keeps it in sight of whoever can find out how it ended.
const markGone = `
MATCH (t:Turn {id: $turnId})<-[open:OPEN]-(c:Conversation {id: $conversationId})
SET t.outcome = 'failed', t.errorCode = 'internal', t.storedAt = $now
DELETE open
CREATE (c)-[:LOST]->(t)`;

interface FactsRow extends Omit<LinkFacts, 'own' | 'open'> {
  readonly ownerId: UserId;
  readonly open: readonly OpenTurn[];
  readonly own: TurnProperties | null;
}

export function createLinkTurn(database: Database): (input: LinkTurnInput) => Promise<LinkTurnResult> {
  return (input) =>
    database.transaction(async (run) => {
      const { turn, released } = input;
      const now = database.now();
      const decision = decideLink(input, await readFacts(run, turn, now));
      const gone = input.releasedIsGone ? released : null;
      if (gone !== null) await run(markGone, { conversationId: turn.conversationId, turnId: gone, now });
      if (decision.write !== null) await write(run, turn, decision.write, now);
      return { commit: gone !== null || decision.write !== null, value: decision.result };
    });
}

async function readFacts(run: RunQuery, turn: TurnInput, now: string): Promise<LinkFacts> {
  const { conversationId, turnId, userId, agentId, regenerateOf, parentTurnId } = turn;
  const [row] = await run<FactsRow>(lockAndRead, {
    conversationId,
    turnId,
    userId,
    agentId,
    regenerateOf,
    parentTurnId,
    now,
    title: toTitle(turn.text),
  });
  if (row === undefined) throw new Error(`unable to link turn ${turnId}; the query gave no row`);
  return { ...row, own: row.own === null ? null : toOwn(row.own, conversationId, row.parentTurnId) };
}

function toOwn(own: TurnProperties, conversationId: ConversationId, parentTurnId: TurnId | null): LinkFacts['own'] {
  const { userId, contentSha256, position } = own;
  return { userId, contentSha256, position, result: toTurnResult({ turn: own, conversationId, parentTurnId }) };
}

async function write(
  run: RunQuery,
  turn: TurnInput,
  { parentTurnId, position }: NonNullable<LinkDecision['write']>,
  createdAt: string,
): Promise<void> {
  const { turnId: id, userId, agentId, text, contentSha256 } = turn;
  await run(link, {
    conversationId: turn.conversationId,
    parentTurnId,
    position: neo4j.int(position),
    turn: { id, conversationId: turn.conversationId, userId, agentId, text, contentSha256, createdAt },
  });
}
