// Constraints and indexes. They come before any data: without the unique constraints, messages that arrive together
// make several nodes of one conversation. Safe to repeat and to run from several processes at once.

import { Neo4jError } from 'neo4j-driver';
import { setTimeout as delay } from 'node:timers/promises';
import type { Migrations } from '../protocol/ports.ts';
import { CandorError } from '../protocol/errors.ts';
import type { Database } from './database.ts';

/** Name of the full-text index over the chunks of knowledge. */
export const knowledgeIndex = 'chunk_text';

const unique = (label: string, property: string): string =>
  `CREATE CONSTRAINT ${label.toLowerCase()}_${property.toLowerCase()} IF NOT EXISTS ` +
  `FOR (n:${label}) REQUIRE n.${property} IS UNIQUE`;

const statements: readonly string[] = [
  unique('User', 'id'),
  unique('Conversation', 'id'),
  unique('Turn', 'id'),
  unique('Agent', 'id'),
  unique('Document', 'id'),
  unique('Chunk', 'id'),
  unique('AuditRecord', 'id'),
  unique('Prompt', 'turnId'),
  unique('ReceiptKey', 'kid'),
  unique('TurnEngine', 'name'),
  'CREATE INDEX conversation_by_owner IF NOT EXISTS FOR (n:Conversation) ON (n.ownerId, n.updatedAt)',
  'CREATE INDEX audit_by_verdict IF NOT EXISTS FOR (n:AuditRecord) ON (n.verdict, n.recordedAt)',
  `CREATE FULLTEXT INDEX ${knowledgeIndex} IF NOT EXISTS FOR (n:Chunk) ON EACH [n.title, n.heading, n.text] ` +
    `OPTIONS { indexConfig: { \`fulltext.analyzer\`: 'english', \`fulltext.eventually_consistent\`: false } }`,
];

// Two processes that create the same rule at the same time: the loser's rule exists, which is all it wanted.
const madeByAnother = /^Neo\.ClientError\.Schema\.(EquivalentSchemaRuleAlreadyExists|(Constraint|Index)AlreadyExists)$/;
const collisions = 5;
const collisionWaitMs = 200;
const indexSeconds = 90;

export function createMigrations(database: Database): Migrations {
  return {
    async migrate() {
      for (const statement of statements) await create(database, statement);
      await database.patient(`CALL db.awaitIndexes(${indexSeconds})`);
    },
  };
}

async function create(database: Database, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await database.patient(statement);
      return;
    } catch (error) {
      if (error instanceof Neo4jError && madeByAnother.test(error.code)) return;
      if (attempt === collisions || !isCollision(error)) throw error;
      await delay(collisionWaitMs * attempt);
    }
  }
}

/** Changes of the schema by several processes end in deadlocks that the server resolves by failing one of them. */
function isCollision(error: unknown): boolean {
  if (!(error instanceof CandorError) || !(error.cause instanceof Neo4jError)) return false;
  return error.cause.code.startsWith('Neo.TransientError.');
}
