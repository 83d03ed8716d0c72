// The WebSocket route: proves who calls before the upgrade, then hands frames to a session. Everything after the upgrade
// that cannot be served is told by an error frame and a close code.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { CandorError, closeCodeOf } from '../protocol/errors.ts';
import { isAgentId, type AgentId, type UserId } from '../protocol/ids.ts';
import type { AgentCatalogue } from '../protocol/ports.ts';
import type { CheckOrigin } from './auth/origin.ts';
import { callerOf, createAuthenticate } from './authenticate.ts';
import type { GatewayLog } from './gateway-log.ts';
import {
  createSocketSession,
  type SocketPeer,
  type SocketSession,
  type SocketSessionDependencies,
} from './socket-session.ts';

export interface SocketRoutes extends SocketSessionDependencies {
  readonly agents: AgentCatalogue;
  readonly checkOrigin: CheckOrigin;
  readonly limits?: SocketLimits;
}

export interface SocketLimits {
  /** A peer that does not answer one ping until the next is due is gone, or reads nothing. */
  readonly pingEveryMs: number;
  /** A socket that asks for nothing, follows and watches nothing for so long is closed. */
  readonly idleMs: number;
  /** One that takes nothing of what it is sent for so long is closed. */
  readonly stuckMs: number;
  /** A peer that does not answer a close for so long is cut off: what was on its way to it is let go. */
  readonly closeMs: number;
  /** Open sockets of one user at one gateway. */
  readonly maxPerUser: number;
}

type ByAgent = FastifyRequest<{ Params: { agentId: string } }>;

const defaultLimits: SocketLimits = {
  pingEveryMs: 20_000,
  idleMs: 30 * 60_000,
  stuckMs: 30_000,
  closeMs: 5_000,
  maxPerUser: 2_000,
};
/** Close codes that no error of the catalogue stands for. */
const closeCodes = { tryLater: 1013, idle: 4408 } as const;

export async function socketRoutes(app: FastifyInstance, dependencies: SocketRoutes): Promise<void> {
  const { agents, checkOrigin, verifyToken, metrics, log, limits = defaultLimits } = dependencies;
  const authenticate = createAuthenticate(verifyToken);
  const loaded = new WeakMap<FastifyRequest, AgentId | Error>();
  const places = createPlaces(limits.maxPerUser);
  app.get(
    '/ws/:agentId',
    {
      websocket: true,
      preValidation: async (request: ByAgent) => {
        checkOrigin(request.headers);
        await authenticate(request);
        // Before the upgrade, so that no frame comes before there is somebody to take it.
        loaded.set(request, await loadAgent(agents, request.params.agentId).catch(toError));
      },
    },
    (socket: WebSocket, request: ByAgent) => {
      const caller = callerOf(request);
      const agent =
        loaded.get(request) ?? new Error('unable to open a socket; the hook that loads its agent is missing');
      const leave = places.enter(caller.userId);
      const close = createClose(socket, limits.closeMs);
      metrics.socketOpened();
      socket.on('error', (error) => log.debug({ error }, 'a socket broke'));
      socket.once('close', (code: number) => {
        metrics.socketClosed(close.sentCode ?? code);
        leave?.();
      });
      if (agent instanceof Error) return refuse(socket, close.now, agent, log);
      if (leave === null) return refuse(socket, close.now, tooMany(limits.maxPerUser), log);
      const session = createSocketSession(toPeer(socket, close.now), agent, caller, dependencies, limits.stuckMs);
      socket.on('message', (data: Buffer, isBinary: boolean) => session.receive(isBinary ? '' : data.toString('utf8')));
      const stopPings = keepAlive(socket, session, close.now, limits);
      socket.once('close', () => {
        stopPings();
        session.closed();
      });
    },
  );
}

/** How many sockets each user has. `null` when there is no place for one more. */
function createPlaces(maxPerUser: number): { enter(userId: UserId): (() => void) | null } {
  const taken = new Map<UserId, number>();
  return {
    enter(userId) {
      const before = taken.get(userId) ?? 0;
      if (before >= maxPerUser) return null;
      taken.set(userId, before + 1);
      return () => {
        const left = (taken.get(userId) ?? 1) - 1;
        if (left > 0) taken.set(userId, left);
        else taken.delete(userId);
      };
    },
  };
}

const tooMany = (maxPerUser: number): CandorError =>
  new CandorError('rate_limited', { facts: { reason: `${maxPerUser} open connections` } });

async function loadAgent(agents: AgentCatalogue, id: string): Promise<AgentId> {
  if (!isAgentId(id)) throw new CandorError('agent_not_found', { facts: { agent: id.slice(0, 64) } });
  return (await agents.load(id)).id;
}

const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

type Close = (code: number, reason: string) => void;

function createClose(socket: WebSocket, closeMs: number) {
  let sentCode: number | null = null;
  return {
    get sentCode() {
      return sentCode;
    },
    now: (code: number, reason: string): void => {
      if (sentCode !== null) return;
      sentCode = code;
      socket.close(code, reason);
      const timer = setTimeout(() => socket.terminate(), closeMs).unref();
      socket.once('close', () => clearTimeout(timer));
    },
  };
}

function refuse(socket: WebSocket, close: Close, error: Error, log: GatewayLog): void {
  if (!(error instanceof CandorError)) log.error({ error }, 'a bug while opening a socket');
  const { info, code } =
    error instanceof CandorError
      ? error
      : new CandorError('internal', { facts: { reason: 'an unexpected error' }, cause: error });
  socket.send(JSON.stringify({ type: 'error', error: info }));
  close(code === 'rate_limited' ? closeCodes.tryLater : closeCodeOf(code), code);
}

const toPeer = (socket: WebSocket, close: Close): SocketPeer => ({
  send(frames, sent) {
    frames.forEach((frame, index) => socket.send(frame, index === frames.length - 1 ? () => sent() : undefined));
  },
  close,
  pause: () => socket.pause(),
  resume: () => socket.resume(),
});

/** A peer that is gone without a word, or does not read, is noticed by the ping that it does not answer. */
function keepAlive(
  socket: WebSocket,
  session: SocketSession,
  close: Close,
  { pingEveryMs, idleMs }: SocketLimits,
): () => void {
  let alive = true;
  socket.on('pong', () => (alive = true));
  const timer = setInterval(() => {
    // Nothing is read from it meanwhile, no answer to a ping either.
    if (socket.isPaused) return;
    if (!alive) return session.unanswered();
    if (session.idleMs() >= idleMs) return close(closeCodes.idle, 'idle');
    alive = false;
    socket.ping();
  }, pingEveryMs).unref();
  return () => clearInterval(timer);
}
