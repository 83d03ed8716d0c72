// Conversations of one user. Another user's conversation is not there: never «forbidden», which would tell that it is.

import neo4j from 'neo4j-driver';
import { CandorError } from '../protocol/errors.ts';
import type { ConversationSummary, ReadGraph } from '../protocol/ports.ts';
import type { Database } from './database.ts';
import { formatPageMark, parsePageMark } from './page-mark.ts';

const columns =
  'c.id AS conversationId, c.title AS title, c.agentId AS agentId, c.leaf AS leaf, c.updatedAt AS updatedAt';

const one = `MATCH (c:Conversation {id: $conversationId}) WHERE c.ownerId = $userId RETURN ${columns}`;

const newest = `
MATCH (c:Conversation) WHERE c.ownerId = $userId AND c.updatedAt <= $updatedAt
  AND (c.updatedAt < $updatedAt OR c.id < $id)
RETURN ${columns} ORDER BY c.updatedAt DESC, c.id DESC LIMIT $limit`;

const rename = `
MATCH (c:Conversation {id: $conversationId}) WHERE c.ownerId = $userId
SET c.title = $title
RETURN c.id AS conversationId`;

// Audit records quote the answer in their reason, so they go with it. The user's node stays.
const remove = `
MATCH (c:Conversation {id: $conversationId}) WHERE c.ownerId = $userId
SET c.lock = $conversationId
WITH c, c.id AS conversationId
CALL (c) {
  MATCH (c)-[:HAS]->(t:Turn)
  OPTIONAL MATCH (t)-[:PROMPT]->(p:Prompt)
  OPTIONAL MATCH (a:AuditRecord)-[:AUDITS]->(t)
  DETACH DELETE p, a, t
}
DETACH DELETE c
RETURN conversationId`;

/** Later than every time, so that the first page needs no query of its own. */
const start = { updatedAt: '\u{10ffff}', id: '' };

type Conversations = Pick<
  ReadGraph,
  'conversation' | 'conversations' | 'renameConversation' | 'deleteConversation' | 'ping'
>;

export function createConversations(database: Database): Conversations {
  return {
    async conversation(userId, conversationId) {
      const [row] = await database.read<ConversationSummary>(one, { userId, conversationId });
      return row ?? null;
    },
    async conversations(userId, limit, next) {
      const { updatedAt, id } = next === null ? start : parsePageMark(next);
      // One more than asked for: whether it is there tells whether there is another page.
      const parameters = { userId, updatedAt, id, limit: neo4j.int(limit + 1) };
      const rows = await database.read<ConversationSummary>(newest, parameters);
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      if (rows.length <= limit || last === undefined) return { items, next: null };
      return { items, next: formatPageMark({ updatedAt: last.updatedAt, id: last.conversationId }) };
    },
    async renameConversation(userId, conversationId, title) {
      const [row] = await database.write(rename, { userId, conversationId, title });
      if (row === undefined) throw new CandorError('conversation_not_found');
    },
    async deleteConversation(userId, conversationId) {
      const [row] = await database.write(remove, { userId, conversationId });
      if (row === undefined) throw new CandorError('conversation_not_found');
    },
    async ping() {
      await database.read('RETURN 1 AS one');
    },
  };
}
