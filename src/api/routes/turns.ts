// Turns over REST and server-sent events: the same service and the same feeds as the socket.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { startCursor, type Cursor, type CursorFrame } from '../../protocol/cursor.ts';
import { CandorError } from '../../protocol/errors.ts';
import { isSequenced } from '../../protocol/events.ts';
import { isAgentId, isUuid, type AgentId, type ConversationId, type TurnId } from '../../protocol/ids.ts';
import { logHash } from '../../protocol/log-hash.ts';
import type { AgentCatalogue, ReadGraph, StoredTurn, TurnEngine } from '../../protocol/ports.ts';
import { parseCursor, parseMessageBody } from '../../protocol/schema.ts';
import { advanceCursor } from '../../protocol/transcript.ts';
import { callerOf } from '../authenticate.ts';
import { createFeedCursor } from '../feed-cursor.ts';
import { toOwnCursor } from '../own-cursor.ts';
import type { TurnFeed } from '../turn-feed.ts';
import type { TurnFeeds } from '../turn-feeds.ts';
import type { TurnService } from '../turn-service.ts';
import { toTurnView, type TurnView } from '../turn-view.ts';

export interface TurnRoutes {
  readonly feeds: TurnFeeds;
  readonly turns: TurnService;
  readonly graph: ReadGraph;
  readonly engine: TurnEngine;
  readonly agents: Pick<AgentCatalogue, 'load'>;
  /** For bodies that name no agent. */
  readonly defaultAgent: AgentId;
}

type ById = FastifyRequest<{ Params: { id: string } }>;

export async function turnRoutes(
  app: FastifyInstance,
  { feeds, turns, graph, engine, agents, defaultAgent }: TurnRoutes,
): Promise<void> {
  const view = async (feed: TurnFeed, read: () => Promise<StoredTurn | null>): Promise<TurnView> => {
    await feed.ready;
    const { turnId, memo } = feed;
    const stored = await read();
    const { transcript } = feed;
    return toTurnView({
      turnId,
      conversationId: memo.conversationId,
      transcript,
      stored,
      temporal: engine.link(turnId),
    });
  };
  /** A message that was taken is answered so, also while the graph is away: it can add nothing but a verdict. */
  const viewOfSent = (feed: TurnFeed): Promise<TurnView> => view(feed, () => graph.turn(feed.turnId).catch(toUnread));
  const feedOf = (request: ById): Promise<TurnFeed> =>
    feeds.open(parseTurnId(request.params.id), callerOf(request).userId);

  app.post('/api/conversations/:id/turns', async (request: ById, reply) => {
    const conversationId = parseConversationId(request.params.id);
    const message = parseMessageBody(request.body);
    // As on the socket: an agent that does not exist starts nothing.
    const { id: agentId } = await agents.load(agentOf(request.body, defaultAgent));
    const feed = await turns.send(callerOf(request), agentId, conversationId, message);
    if (prefersWait(request)) {
      await feed.ended;
      return viewOfSent(feed);
    }
    return reply
      .code(202)
      .header('location', `/api/turns/${feed.turnId}`)
      .send(await viewOfSent(feed));
  });
  app.get('/api/turns/:id', async (request: ById) => {
    const feed = await feedOf(request);
    return view(feed, () => graph.turn(feed.turnId));
  });
  app.post('/api/turns/:id/cancel', async (request: ById, reply) => {
    await turns.cancel(callerOf(request), parseTurnId(request.params.id));
    return reply.code(202).send();
  });
  app.post('/api/turns/:id/withdraw', async (request: ById, reply) => {
    await turns.withdraw(callerOf(request), parseTurnId(request.params.id));
    return reply.code(202).send();
  });
  app.get('/api/turns/:id/events', async (request: ById, reply) => {
    const feed = await feedOf(request);
    await feed.ready;
    const named = lastCursor(request);
    return sendEvents(feed, named === null ? startCursor : toOwnCursor(named, feed.transcript), request, reply);
  });
}

/** Server-sent events until the terminal; each carries the cursor that a reader has after it. */
function sendEvents(feed: TurnFeed, from: Cursor, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  let cursor = from;
  let log = logHash(feed.transcript.log, from.seq);
  let blocked = false;
  const pump = (): void => {
    if (blocked || raw.writableEnded) return;
    let text = '';
    for (const event of reader.take()) {
      cursor = advanceCursor(cursor, event);
      if (isSequenced(event)) log = logHash(feed.transcript.log, cursor.seq);
      text += `id: ${encodeCursor({ ...cursor, log })}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    }
    if (text !== '') blocked = !raw.write(text);
    if (reader.ended) raw.end();
  };
  const reader = createFeedCursor(feed, from, pump);
  raw.on('drain', () => {
    blocked = false;
    pump();
  });
  request.raw.once('close', () => reader.close());
  raw.once('close', () => reader.close());
  raw.write(': candor\n\n');
  pump();
  return reply;
}

function toUnread(error: unknown): null {
  if (error instanceof CandorError && error.code === 'graph_unavailable') return null;
  throw error;
}

const encodeCursor = (cursor: CursorFrame): string => Buffer.from(JSON.stringify(cursor), 'utf8').toString('base64url');

function lastCursor(request: FastifyRequest): CursorFrame | null {
  const id = request.headers['last-event-id'];
  if (typeof id !== 'string' || id === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(id, 'base64url').toString('utf8'));
  } catch (cause) {
    throw new CandorError('invalid_request', { facts: { reason: 'Last-Event-ID is not a cursor' }, cause });
  }
  return parseCursor(value);
}

const prefersWait = (request: FastifyRequest): boolean => /\bwait\b/.test(String(request.headers['prefer'] ?? ''));

function agentOf(body: unknown, defaultAgent: AgentId): AgentId {
  const named = body !== null && typeof body === 'object' ? (body as Record<string, unknown>)['agentId'] : undefined;
  if (named === undefined) return defaultAgent;
  if (!isAgentId(named))
    throw new CandorError('invalid_request', { facts: { reason: 'agentId is not an agent’s id' } });
  return named;
}

function parseTurnId(id: string): TurnId {
  if (!isUuid(id))
    throw new CandorError('invalid_request', { facts: { reason: 'the turn’s id is not a lower-case UUID' } });
  return id as TurnId;
}

export function parseConversationId(id: string): ConversationId {
  if (!isUuid(id)) {
    throw new CandorError('invalid_request', { facts: { reason: 'the conversation’s id is not a lower-case UUID' } });
  }
  return id as ConversationId;
}
