// Reads turns as they are stored.

import type { ReadGraph } from '../protocol/ports.ts';
import type { Database } from './database.ts';
import { toStoredTurn, turnColumns, type TurnRow } from './turn-row.ts';

const one = `MATCH (c:Conversation)-[:HAS]->(t:Turn {id: $turnId}) RETURN ${turnColumns}`;

// By the order of linking: that was decided under a lock, while the clocks of several workers disagree.
const all = `
MATCH (c:Conversation {id: $conversationId})-[:HAS]->(t:Turn)
WITH c, t ORDER BY t.position
RETURN ${turnColumns}`;

export function createTurns(database: Database): Pick<ReadGraph, 'turn' | 'turns'> {
  return {
    async turn(turnId) {
      const [row] = await database.read<TurnRow>(one, { turnId });
      return row === undefined ? null : toStoredTurn(row);
    },
    async turns(conversationId) {
      const rows = await database.read<TurnRow>(all, { conversationId });
      return rows.map(toStoredTurn);
    },
  };
}
