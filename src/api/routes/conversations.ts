// A user's own conversations. Another user's is not there, in every route alike.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CandorError } from '../../protocol/errors.ts';
import type { ReadGraph, StoredTurn, TurnEngine } from '../../protocol/ports.ts';
import { callerOf } from '../authenticate.ts';
import { toStoredTranscript } from '../final-transcript.ts';
import type { TurnFeeds } from '../turn-feeds.ts';
import { toTurnView, type TurnView } from '../turn-view.ts';
import { parseConversationId } from './turns.ts';

export interface ConversationRoutes {
  readonly graph: ReadGraph;
  readonly engine: TurnEngine;
  readonly feeds: TurnFeeds;
}

type ById = FastifyRequest<{ Params: { id: string } }>;
const listQuery = z.object({ limit: z.coerce.number().int().min(1).max(100).default(50), next: z.string().optional() });
const patchBody = z.object({ title: z.string().trim().min(1).max(200) });

export async function conversationRoutes(
  app: FastifyInstance,
  { graph, engine, feeds }: ConversationRoutes,
): Promise<void> {
  const view = async (turn: StoredTurn): Promise<TurnView> => {
    const { turnId, conversationId, userId } = turn;
    const source = { turnId, conversationId, stored: turn, temporal: engine.link(turnId) };
    if (turn.result !== null) return toTurnView({ ...source, transcript: toStoredTranscript(turn) });
    const feed = await feeds.open(turnId, userId);
    await feed.ready;
    return toTurnView({ ...source, transcript: feed.transcript });
  };

  app.get('/api/conversations', async (request) => {
    const { limit, next } = parse(listQuery, request.query);
    return graph.conversations(callerOf(request).userId, limit, next ?? null);
  });
  app.get('/api/conversations/:id', async (request: ById) => {
    const conversationId = parseConversationId(request.params.id);
    const found = await graph.conversation(callerOf(request).userId, conversationId);
    if (found === null) throw new CandorError('conversation_not_found');
    return { ...found, turns: await Promise.all((await graph.turns(conversationId)).map(view)) };
  });
  app.patch('/api/conversations/:id', async (request: ById, reply) => {
    const { title } = parse(patchBody, request.body);
    await graph.renameConversation(callerOf(request).userId, parseConversationId(request.params.id), title);
    return reply.code(204).send();
  });
  app.delete('/api/conversations/:id', async (request: ById, reply) => {
    await graph.deleteConversation(callerOf(request).userId, parseConversationId(request.params.id));
    return reply.code(204).send();
  });
}

function parse<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CandorError('invalid_request', {
    facts: { reason: `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim() },
  });
}
