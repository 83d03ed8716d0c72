// A gateway's sockets alone: the real route on a real server, over the memory lane, with turns that a test writes by hand.
// The engine and the graph are stand-ins at our own ports, so that a reader's behaviour is all there is.

import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fastifyWebsocket from '@fastify/websocket';
import Fastify from 'fastify';
import { Registry } from 'prom-client';
import { WebSocket } from 'ws';
import { createConversationWatchers } from '../src/api/conversation-watchers.ts';
import { socketRoutes, type SocketLimits } from '../src/api/sockets.ts';
import { createTurnFeeds, type TurnFeeds } from '../src/api/turn-feeds.ts';
import type { TurnService } from '../src/api/turn-service.ts';
import { createMemoryLane } from '../src/live/memory.ts';
import { createDeliveryMetrics } from '../src/metrics/delivery.ts';
import type { TurnEvent } from '../src/protocol/events.ts';
import type { AgentId, ConversationId, TurnId, UserId } from '../src/protocol/ids.ts';
import type { AgentCatalogue, EngineEnd, GatewayGraph, TurnEngine } from '../src/protocol/ports.ts';
import { toLogged } from '../src/protocol/turn.ts';
import { createLog } from '../src/run/log.ts';
import { parseFigures, type Figures } from './figures-of.ts';

export interface RigTurn {
  readonly turnId: TurnId;
  /** What was said so far. */
  readonly text: string;
  /** A piece of the answer, as a model sends it. */
  say(piece: string): void;
  /** The answer is whole and the turn over. */
  end(): void;
}

export interface SocketRig {
  readonly url: string;
  readonly feeds: TurnFeeds;
  /** The gateway's ends of the open sockets. */
  readonly sockets: ReadonlySet<WebSocket>;
  figures(): Promise<Figures>;
  /** A turn whose model is about to answer. */
  begin(): RigTurn;
  /** An open socket of `ada`, or of the user that is named. It is paused: nothing is lost before somebody listens. */
  connect(user?: string): Promise<WebSocket>;
  close(): Promise<void>;
}

const generousLimits: SocketLimits = {
  pingEveryMs: 60_000,
  idleMs: 60_000,
  stuckMs: 60_000,
  closeMs: 200,
  maxPerUser: 20_000,
};

const agentId = 'operator' as AgentId;
const conversationId = randomUUID() as ConversationId;

interface WrittenTurn extends RigTurn {
  readonly ended: Promise<EngineEnd>;
}

export async function startSocketRig(limits: Partial<SocketLimits> = {}): Promise<SocketRig> {
  const log = createLog('fatal', null);
  const lane = createMemoryLane();
  const registry = new Registry();
  const metrics = createDeliveryMetrics(registry);
  const written = new Map<TurnId, WrittenTurn>();
  const engine = {
    find: async (turnId: TurnId) =>
      written.has(turnId) ? { state: 'open', memo, stand: { revision: 1, pending: [] } } : null,
    log: async () => null,
    stand: async () => ({ revision: 1, pending: [] }),
    waitForEnd: (turnId: TurnId) => written.get(turnId)?.ended ?? null,
    ping: async () => undefined,
  } as unknown as TurnEngine;
  const graph = {
    turn: async () => null,
    conversation: async () => null,
    turns: async () => [],
    latestTurns: async () => [],
  };
  const feeds = createTurnFeeds({ lane, engine, graph: graph as unknown as GatewayGraph, metrics, log });
  const watchers = createConversationWatchers({ lane, feeds, graph: graph, log });
  const app = Fastify({ forceCloseConnections: true });
  await app.register(fastifyWebsocket, { options: { perMessageDeflate: false, maxPayload: 512 * 1024 } });
  await app.register(socketRoutes, {
    agents: { load: async () => ({ id: agentId }) } as unknown as AgentCatalogue,
    checkOrigin: () => undefined,
    feeds,
    turns: {} as TurnService,
    watchers,
    graph: graph as unknown as GatewayGraph,
    // The token is the user's name.
    verifyToken: async (userId: string) => ({
      userId: userId as UserId,
      roles: [],
      tier: 'free',
      expiresAt: new Date(Date.now() + 3_600_000),
    }),
    metrics,
    log,
    limits: { ...generousLimits, ...limits },
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}/ws/${agentId}`;
  const clients = new Set<WebSocket>();

  return {
    url,
    feeds,
    sockets: app.websocketServer.clients as unknown as ReadonlySet<WebSocket>,
    figures: async () => parseFigures(await registry.metrics()),
    begin() {
      const turn = writeTurn(randomUUID() as TurnId, (event) => lane.publish(event));
      written.set(turn.turnId, turn);
      return turn;
    },
    async connect(user = 'ada') {
      const socket = new WebSocket(url, { headers: { authorization: `Bearer ${user}` } });
      clients.add(socket);
      socket.once('close', () => clients.delete(socket));
      // Swallowed: it is broken on purpose, and its close says so.
      socket.on('error', () => undefined);
      socket.once('open', () => socket.pause());
      await once(socket, 'open');
      return socket;
    },
    async close() {
      for (const client of clients) client.terminate();
      watchers.close();
      feeds.close();
      await app.close();
      await lane.close();
    },
  };
}

const memo = { conversationId, userId: 'ada' as UserId, agentId, contentSha256: 'c'.repeat(64) };

type Without<Event> = Event extends TurnEvent ? Omit<Event, 'turnId' | 'conversationId' | 'time'> : never;

function writeTurn(turnId: TurnId, publish: (event: TurnEvent) => void): WrittenTurn {
  const log: TurnEvent[] = [];
  let text = '';
  let resolveEnd: (end: EngineEnd) => void = () => undefined;
  const ended = new Promise<EngineEnd>((resolve) => (resolveEnd = resolve));
  const add = (own: Without<TurnEvent>): TurnEvent => {
    const event = { ...own, turnId, conversationId, time: new Date().toISOString() } as TurnEvent;
    if (event.type !== 'delta') log.push(event);
    return event;
  };
  const call = { agentId, step: 1, attempt: 1 } as const;
  publish(add({ type: 'turn_accepted', seq: 1, agentId, text: 'Why?' }));
  publish(add({ type: 'agent_started', seq: 2, agentId, model: 'm', context: [] }));
  publish(add({ type: 'agent_thinking', seq: 3, ...call, maxAttempts: 4, model: 'm' }));
  return {
    turnId,
    ended,
    get text() {
      return text;
    },
    say(piece) {
      publish(add({ type: 'delta', ...call, channel: 'answer', offset: text.length, text: piece, after: 3 }));
      text += piece;
    },
    end() {
      const sha256 = createHash('sha256').update(text, 'utf8').digest('hex');
      const usage = { promptTokens: null, completionTokens: null, totalTokens: null };
      const reply = { text, finishReason: 'stop', incomplete: false, citations: [], unsupported: [], usage, sha256 };
      publish(add({ type: 'agent_completed', seq: 4, ...call, ...reply }));
      add({ type: 'turn_completed', seq: 5, receipt: {} as never });
      resolveEnd({ state: 'closed', result: { outcome: 'completed', log: log.map((e) => toLogged(e as never)) } });
    },
  };
}
