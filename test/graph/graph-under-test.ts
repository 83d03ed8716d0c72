// The real Neo4j of the test run, and turns to put into it. Every test makes users and conversations of its own, so that
// one server serves all of them at once.

import { randomUUID } from 'node:crypto';
import { createGraph, type Graph, type GraphOptions } from '../../src/graph/neo4j.ts';
import type { AgentId, ConversationId, TurnId, UserId } from '../../src/protocol/ids.ts';
import type { LinkTurnResult, StoreTurnInput } from '../../src/protocol/ports.ts';
import type { StepText, TurnInput, TurnResult } from '../../src/protocol/turn.ts';

export const newTurnId = (): TurnId => randomUUID() as TurnId;
export const newUserId = (): UserId => `user-${randomUUID()}` as UserId;
export const newConversationId = (): ConversationId => randomUUID() as ConversationId;

export function neo4jUnderTest(): Pick<GraphOptions, 'uri' | 'user' | 'password'> {
  const [uri, user, password] = ['URI', 'USER', 'PASSWORD'].map((name) => process.env[`CANDOR_TEST_NEO4J_${name}`]);
  if (uri === undefined || user === undefined || password === undefined) {
    throw new Error(
      'unable to reach a Neo4j for the tests; set CANDOR_TEST_NEO4J_URI, CANDOR_TEST_NEO4J_USER and ' +
        'CANDOR_TEST_NEO4J_PASSWORD, or run the tests with `npm test`, which starts one',
    );
  }
  return { uri, user, password };
}

export async function openGraph(options: Partial<GraphOptions> = {}): Promise<Graph> {
  const graph = createGraph({ ...neo4jUnderTest(), ...options });
  await graph.migrate();
  return graph;
}

/** A message into a conversation of its own, unless said otherwise. */
export function newTurn(over: Partial<TurnInput> = {}): TurnInput {
  const turnId = over.turnId ?? newTurnId();
  return {
    turnId,
    conversationId: newConversationId(),
    userId: newUserId(),
    agentId: 'operator' as AgentId,
    text: `question ${turnId}`,
    parentTurnId: null,
    regenerateOf: null,
    attachments: [],
    busy: 'enqueue',
    tier: 'free',
    contentSha256: `content of ${turnId}`,
    ...over,
  };
}

/** The next message of the same user in the same conversation. */
export const nextTurn = ({ conversationId, userId }: TurnInput, over: Partial<TurnInput> = {}): TurnInput =>
  newTurn({ conversationId, userId, ...over });

export const link = (graph: Graph, turn: TurnInput, released: TurnId | null = null, releasedIsGone = false) =>
  graph.linkTurn({ turn, released, releasedIsGone });

export function answerText(turn: TurnInput, over: Partial<StepText> = {}): StepText {
  const text = `answer to ${turn.turnId}`;
  const { agentId } = turn;
  return { agentId, step: 1, attempt: 1, text, reasoning: '', sha256: `sha of ${text}`, incomplete: false, ...over };
}

/** A completed turn, unless said otherwise. */
export function endOf(turn: TurnInput, over: Partial<StoreTurnInput> = {}): StoreTurnInput {
  const answer = answerText(turn);
  return {
    turnId: turn.turnId,
    outcome: 'completed',
    errorCode: null,
    answer,
    steps: [answer],
    log: toLog(turn),
    receiptJson: JSON.stringify({ version: 1 }),
    receiptSha256: `receipt of ${turn.turnId}`,
    citations: [],
    storedAt: new Date().toISOString(),
    ...over,
  };
}

export const failureOf = (turn: TurnInput, over: Partial<StoreTurnInput> = {}): StoreTurnInput =>
  endOf(turn, {
    outcome: 'failed',
    errorCode: 'llm_unavailable',
    answer: null,
    steps: [],
    receiptJson: null,
    receiptSha256: null,
    ...over,
  });

/** Links and completes: one whole exchange. */
export async function exchange(graph: Graph, turn: TurnInput): Promise<TurnInput> {
  const linked = await link(graph, turn);
  if (linked.kind !== 'linked') throw new Error(`expected a free conversation, got ${linked.kind}`);
  await graph.storeTurn(endOf(turn));
  return turn;
}

function toLog({ conversationId, turnId, agentId, text }: TurnInput): TurnResult['log'] {
  const time = '2026-01-01T00:00:00.000Z';
  return [{ type: 'turn_accepted', seq: 1, time, conversationId, turnId, agentId, text }];
}

/** What a message waits for; `null` when it may go. */
export function behindOf(result: LinkTurnResult): TurnId | null {
  return result.kind === 'busy' ? result.behind : null;
}
