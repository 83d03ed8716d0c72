// The graph: everything that outlives Temporal's memory of a turn, in Neo4j. Knows nothing of Temporal or Fastify.

import type {
  AuditGraph,
  GatewayGraph,
  KnowledgeGraph,
  Migrations,
  ReceiptKeys,
  TurnGraph,
} from '../protocol/ports.ts';
import { createAudits } from './audits.ts';
import { createConversations } from './conversations.ts';
import { createDatabase, type GraphOptions } from './database.ts';
import { createHistory } from './history.ts';
import { createKnowledge } from './knowledge.ts';
import { createLinkForeseen } from './link-foreseen.ts';
import { createLinkTurn } from './link-turn.ts';
import { createMigrations } from './migrations.ts';
import { createPrompts } from './prompts.ts';
import { createReceiptKeys } from './receipt-keys.ts';
import { createStoreTurn } from './store-turn.ts';
import { createTurns } from './turns.ts';

export type { GraphOptions } from './database.ts';

export type Graph = TurnGraph &
  AuditGraph &
  GatewayGraph &
  KnowledgeGraph &
  ReceiptKeys &
  Migrations & {
    /** Ends all connections; what runs fails with `graph_unavailable`. */
    close(): Promise<void>;
  };

/** Connects at the first call, not here. @throws Error for an address that is none */
export function createGraph(options: GraphOptions): Graph {
  const database = createDatabase(options);
  return {
    ...createMigrations(database),
    linkTurn: createLinkTurn(database),
    ...createLinkForeseen(database),
    storeTurn: createStoreTurn(database),
    history: createHistory(database),
    ...createPrompts(database),
    ...createTurns(database),
    ...createConversations(database),
    ...createAudits(database),
    ...createKnowledge(database),
    ...createReceiptKeys(database),
    close: () => database.close(),
  };
}
