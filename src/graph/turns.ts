// Reads turns as they are stored.

import neo4j from 'neo4j-driver';
import type { GatewayGraph, LatestTurn, OpenTurnMark } from '../protocol/ports.ts';
import type { Database } from './database.ts';
import { toStoredTurn, turnColumns, type TurnRow } from './turn-row.ts';

const one = `MATCH (c:Conversation)-[:HAS]->(t:Turn {id: $turnId}) RETURN ${turnColumns}`;

// By the order of linking: that was decided under a lock, while the clocks of several workers disagree.
const all = `
MATCH (c:Conversation {id: $conversationId})-[:HAS]->(t:Turn)
WITH c, t ORDER BY t.position
RETURN ${turnColumns}`;

// By the relationships, which only these turns have: few, however many turns there are.
const open = `
MATCH ()-[:OPEN|LOST]->(t:Turn)
WHERE t.createdAt < $linkedBefore AND (t.createdAt > $createdAt OR (t.createdAt = $createdAt AND t.id > $turnId))
RETURN t.id AS turnId, t.userId AS userId, t.createdAt AS createdAt ORDER BY t.createdAt, t.id LIMIT $limit`;

const latest = `
UNWIND $conversationIds AS conversationId
MATCH (c:Conversation {id: conversationId})-[:HAS]->(t:Turn)
WITH c, t ORDER BY t.position DESC
WITH c, collect(t)[..$limit] AS turns
UNWIND turns AS t
RETURN c.id AS conversationId, t.id AS turnId, t.userId AS userId`;

const claimEngine = `
MERGE (e:TurnEngine {name: 'turns'})
  ON CREATE SET e.id = $engineId
RETURN e.id = $engineId AS isIt`;

export function createTurns(
  database: Database,
): Pick<GatewayGraph, 'turn' | 'turns' | 'latestTurns' | 'openTurns' | 'isEngineOfTurns'> {
  return {
    async turn(turnId) {
      const [row] = await database.read<TurnRow>(one, { turnId });
      return row === undefined ? null : toStoredTurn(row);
    },
    async turns(conversationId) {
      const rows = await database.read<TurnRow>(all, { conversationId });
      return rows.map(toStoredTurn);
    },
    latestTurns: (conversationIds, limit) =>
      database.read<LatestTurn>(latest, { conversationIds: [...conversationIds], limit: neo4j.int(limit) }),
    openTurns: (linkedBefore, limit, after) =>
      database.read<OpenTurnMark>(open, {
        linkedBefore,
        limit: neo4j.int(limit),
        createdAt: after?.createdAt ?? '',
        turnId: after?.turnId ?? '',
      }),
    async isEngineOfTurns(engineId) {
      const [row] = await database.write<{ readonly isIt: boolean }>(claimEngine, { engineId });
      return row?.isIt ?? false;
    },
  };
}
