// Documents, their chunks, and the full-text search over them.

import neo4j from 'neo4j-driver';
import type { KnowledgeGraph, KnowledgeHit, TurnGraph } from '../protocol/ports.ts';
import type { Database } from './database.ts';
import { toFullTextQuery } from './full-text-query.ts';
import { knowledgeIndex } from './migrations.ts';

const find = `
CALL db.index.fulltext.queryNodes('${knowledgeIndex}', $query, {limit: $limit}) YIELD node AS k, score
RETURN k.id AS id, k.source AS source, k.title AS title, k.heading AS heading, k.text AS text, score
ORDER BY score DESC, id`;

const count = 'MATCH (d:Document) RETURN count(d) AS documents';

// Chunks that are there again keep their node, and with it what cites them.
const save = `
MERGE (d:Document {id: $document.id})
SET d = $document
WITH d
CALL (d) {
  MATCH (d)-[:CONTAINS]->(old:Chunk) WHERE NOT old.id IN $ids
  DETACH DELETE old
}
CALL (d) {
  UNWIND $chunks AS chunk
  MERGE (k:Chunk {id: chunk.id})
  SET k = chunk
  MERGE (d)-[:CONTAINS]->(k)
}`;

type Knowledge = KnowledgeGraph & Pick<TurnGraph, 'searchKnowledge'>;

export function createKnowledge(database: Database): Knowledge {
  return {
    async searchKnowledge(question, limit) {
      const query = toFullTextQuery(question);
      if (query === null) return [];
      const rows = await database.read<KnowledgeHit & { heading: string }>(find, { query, limit: neo4j.int(limit) });
      return rows.map(({ heading, ...hit }) => ({ ...hit, title: toHitTitle(hit.title, heading) }));
    },
    async countDocuments() {
      const [row] = await database.read<{ documents: number }>(count);
      return row?.documents ?? 0;
    },
    async saveDocument({ id, title, source, sha256, chunks }) {
      await database.write(save, {
        document: { id, title, source, sha256 },
        ids: chunks.map((chunk) => chunk.id),
        chunks: chunks.map((chunk, index) => ({ ...chunk, title, source, position: neo4j.int(index) })),
      });
    },
  };
}

const toHitTitle = (title: string, heading: string): string => (heading === '' ? title : `${title} › ${heading}`);
