// Turns over REST and server-sent events: the same service and the same feeds as the socket.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { CursorFrame } from '../../protocol/cursor.ts';
import { CandorError } from '../../protocol/errors.ts';
import { isAgentId, isUuid, type AgentId, type ConversationId, type TurnId } from '../../protocol/ids.ts';
import type { AgentCatalogue, ReadGraph, StoredTurn, TurnEngine } from '../../protocol/ports.ts';
import { parseCursor, parseMessageBody } from '../../protocol/schema.ts';
import { terminalOf } from '../../protocol/transcript.ts';
import { callerOf } from '../authenticate.ts';
import type { DeliveryMetrics } from '../delivery-metrics.ts';
import { sendEvents } from '../event-stream.ts';
import { isOfDiscardedAttempt } from '../kept-attempts.ts';
import { toResumePoint } from '../own-cursor.ts';
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
  readonly metrics: DeliveryMetrics;
}

type ById = FastifyRequest<{ Params: { id: string } }>;

export async function turnRoutes(
  app: FastifyInstance,
  { feeds, turns, graph, engine, agents, defaultAgent, metrics }: TurnRoutes,
): Promise<void> {
  const view = async (feed: TurnFeed, read: () => Promise<StoredTurn | null>): Promise<TurnView> => {
    await feed.ready;
    await feed.refresh();
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
    const attempts = attemptsOf(request);
    const frame = lastCursor(request, attempts);
    const feed = await feedOf(request);
    if (attempts === 'kept') await untilEnded(feed);
    if (frame !== undefined) metrics.resumed('sse');
    const from = await toResumePoint(feed, frame);
    reply.hijack();
    sendEvents({
      ...{ feed, from, metrics, raw: reply.raw, expiresAt: callerOf(request).expiresAt },
      ...(attempts === 'all'
        ? {}
        : {
            isTold: (event) => !isOfDiscardedAttempt(feed.transcript, event),
            mark: { attempts },
            headers: { 'candor-attempts': attempts },
          }),
    });
    return reply;
  });
}

function toUnread(error: unknown): null {
  if (error instanceof CandorError && error.code === 'graph_unavailable') return null;
  throw error;
}

type Attempts = 'all' | 'kept';

/** @throws CandorError `invalid_request` */
function attemptsOf({ query }: FastifyRequest): Attempts {
  const { attempts = 'all' } = query as { attempts?: unknown };
  if (attempts === 'all' || attempts === 'kept') return attempts;
  throw new CandorError('invalid_request', { facts: { reason: 'attempts is neither all nor kept' } });
}

/** Which attempts are kept is known at the end only. @throws CandorError `invalid_request` */
async function untilEnded(feed: TurnFeed): Promise<void> {
  await feed.ready;
  if (terminalOf(feed.transcript) !== null) return;
  throw new CandorError('invalid_request', {
    facts: { reason: 'the turn has not ended: its attempts cannot be left out' },
  });
}

/** @throws CandorError `invalid_request` also for an id of the other form */
function lastCursor({ headers }: FastifyRequest, attempts: Attempts): CursorFrame | undefined {
  const id = headers['last-event-id'];
  if (typeof id !== 'string' || id === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(id, 'base64url').toString('utf8'));
  } catch (cause) {
    throw new CandorError('invalid_request', { facts: { reason: 'Last-Event-ID is not a cursor' }, cause });
  }
  const cursor = parseCursor(value);
  const marked = (value as { attempts?: unknown }).attempts ?? 'all';
  if (marked === attempts) return cursor;
  throw new CandorError('invalid_request', { facts: { reason: 'Last-Event-ID was given for other attempts' } });
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
