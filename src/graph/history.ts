// What a turn answers to. Along PARENT, not along time: a conversation is a tree. Turns without an answer are passed
// over, their parents are not, because a queued message may answer to one that failed before it.

import neo4j from 'neo4j-driver';
import type { TurnId } from '../protocol/ids.ts';
import type { Exchange } from '../protocol/ports.ts';
import type { Database } from './database.ts';

// The bound keeps a very long conversation from being walked to its beginning for a prompt that holds its end.
const walk = `
MATCH path = (:Turn {id: $turnId})-[:PARENT*1..400]->(t:Turn) WHERE t.answer IS NOT NULL
WITH t, length(path) AS distance ORDER BY distance LIMIT $limit
RETURN t.id AS turnId, t.text AS question, t.answer AS answer, t.incomplete AS incomplete,
  any(verdict IN [(a:AuditRecord)-[:AUDITS]->(t) | a.verdict] WHERE verdict = 'rejected') AS rejected
ORDER BY distance DESC`;

export function createHistory(database: Database): (turnId: TurnId, limit: number) => Promise<readonly Exchange[]> {
  return (turnId, limit) => database.read<Exchange>(walk, { turnId, limit: neo4j.int(limit) });
}
