// What a turn answers to. Along PARENT, not along time: a conversation is a tree. Turns without an answer are passed
// over, their parents are not, because a queued message may answer to one that failed before it.

import neo4j from 'neo4j-driver';
import type { TurnId } from '../protocol/ids.ts';
import type { Exchange } from '../protocol/ports.ts';
import type { Database } from './database.ts';

/**
 * Behind a bound `parent`, which may be null: binds `exchanges`, oldest first. The bound keeps a very long conversation
 * from being walked to its beginning for a prompt that holds its end.
 */
export const collectExchanges = `
CALL (parent) {
  MATCH path = (parent)-[:PARENT*0..399]->(t:Turn) WHERE t.answer IS NOT NULL
  WITH t, length(path) AS distance ORDER BY distance LIMIT $limit
  WITH t, distance ORDER BY distance DESC
  RETURN collect({
    turnId: t.id, question: t.text, answer: t.answer, incomplete: t.incomplete,
    rejected: any(verdict IN [(a:AuditRecord)-[:AUDITS]->(t) | a.verdict] WHERE verdict = 'rejected')
  }) AS exchanges
}`;

const walk = `
OPTIONAL MATCH (:Turn {id: $turnId})-[:PARENT]->(parent:Turn)
${collectExchanges}
RETURN exchanges`;

export function createHistory(database: Database): (turnId: TurnId, limit: number) => Promise<readonly Exchange[]> {
  return async (turnId, limit) => {
    const [row] = await database.read<{ exchanges: readonly Exchange[] }>(walk, { turnId, limit: neo4j.int(limit) });
    return row?.exchanges ?? [];
  };
}
