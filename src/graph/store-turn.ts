// Writes the end of a turn. The first end stays, whoever comes second and however often: the answer that was shown, the
// one in the graph and the one that is audited must be the same. An end without a log, which `linkTurn` writes for a turn
// whose workflow is gone, is only a mark that the turn is not open any more; a real end replaces it.

import type { StoreTurnInput } from '../protocol/ports.ts';
import type { Database } from './database.ts';

// The conversation is locked first, as everywhere, so that two writers cannot wait for each other; the turn is matched
// anew under the lock. A turn that ends without text gives the selected leaf back to the last one that has a text or may
// still get one: the next message answers to a real exchange.
const store = `
MATCH (:Turn {id: $turnId})<-[:HAS]-(c:Conversation)
SET c.lock = $turnId
WITH c
MATCH (c)-[:HAS]->(t:Turn {id: $turnId})
CALL (c, t) {
  WITH c, t WHERE t.outcome IS NULL OR t.logJson IS NULL
  SET t += $end, c.updatedAt = $end.storedAt
  WITH c, t
  CALL (c, t) {
    MATCH (c)-[open:OPEN|LOST]->(t)
    DELETE open
  }
  CALL (t) {
    UNWIND $citations AS id
    MATCH (k:Chunk {id: id})
    MERGE (t)-[:CITES]->(k)
  }
  CALL (t) {
    WITH t WHERE $end.answer IS NOT NULL
    MERGE (a:Agent {id: t.agentId})
    MERGE (t)-[:ANSWERED_BY]->(a)
  }
  CALL (c, t) {
    WITH c, t WHERE $end.answer IS NULL AND c.leaf = t.id
    OPTIONAL MATCH path = (t)-[:PARENT*1..]->(real:Turn) WHERE real.answer IS NOT NULL OR real.outcome IS NULL
    WITH c, real ORDER BY length(path) LIMIT 1
    SET c.leaf = real.id
  }
}
RETURN t.storedAt AS storedAt`;

/** A turn that is not in the graph (never linked, or deleted by its owner) stays out of it. */
export function createStoreTurn(database: Database): (input: StoreTurnInput) => Promise<{ readonly storedAt: string }> {
  return async (input) => {
    const { turnId, outcome, errorCode, answer, steps, log, receiptJson, receiptSha256, citations, storedAt } = input;
    const hasText = answer !== null && answer.text !== '';
    const [row] = await database.write<{ storedAt: string }>(store, {
      turnId,
      end: {
        outcome,
        errorCode,
        answer: hasText ? answer.text : null,
        answerSha256: hasText ? answer.sha256 : null,
        incomplete: hasText ? answer.incomplete : null,
        stepsJson: JSON.stringify(steps),
        logJson: JSON.stringify(log),
        receiptJson,
        receiptSha256,
        storedAt,
      },
      // In one order, so that two answers with the same sources lock them in the same order.
      citations: [...new Set(citations.map((citation) => citation.id))].sort(),
    });
    return { storedAt: row?.storedAt ?? storedAt };
  };
}
