// The WebSocket route: proves who calls before the upgrade, then hands frames to a session. Everything after the upgrade
// that cannot be served is told by an error frame and a close code.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { CandorError, closeCodeOf } from '../protocol/errors.ts';
import { isAgentId, type AgentId } from '../protocol/ids.ts';
import type { AgentCatalogue } from '../protocol/ports.ts';
import type { CheckOrigin } from './auth/origin.ts';
import { callerOf, createAuthenticate } from './authenticate.ts';
import type { GatewayLog } from './gateway-log.ts';
import { createSocketSession, type SocketPeer, type SocketSessionDependencies } from './socket-session.ts';

export interface SocketRoutes extends SocketSessionDependencies {
  readonly agents: AgentCatalogue;
  readonly checkOrigin: CheckOrigin;
}

type ByAgent = FastifyRequest<{ Params: { agentId: string } }>;

const pingEveryMs = 20_000;

export async function socketRoutes(app: FastifyInstance, dependencies: SocketRoutes): Promise<void> {
  const { agents, checkOrigin, verifyToken, metrics } = dependencies;
  const authenticate = createAuthenticate(verifyToken);
  app.get(
    '/ws/:agentId',
    {
      websocket: true,
      preValidation: async (request) => {
        checkOrigin(request.headers);
        await authenticate(request);
      },
    },
    (socket: WebSocket, request: ByAgent) => {
      const caller = callerOf(request);
      metrics.socketOpened();
      // Frames may arrive while the agent's file is read: they wait in line behind it.
      const session = loadAgent(agents, request.params.agentId).then(
        (agentId) => createSocketSession(toPeer(socket), agentId, caller, dependencies),
        (error: unknown) => refuseSocket(socket, error, dependencies.log),
      );
      let line: Promise<unknown> = session;
      socket.on('message', (data: Buffer, isBinary: boolean) => {
        const raw = isBinary ? '' : data.toString('utf8');
        line = line.then(async () => (await session)?.receive(raw));
      });
      const stopPings = keepAlive(socket);
      socket.once('close', (code: number) => {
        metrics.socketClosed(code);
        stopPings();
        void session.then((open) => open?.closed());
      });
      socket.on('error', (error) => dependencies.log.debug({ error }, 'a socket broke'));
    },
  );
}

async function loadAgent(agents: AgentCatalogue, id: string): Promise<AgentId> {
  if (!isAgentId(id)) throw new CandorError('agent_not_found', { facts: { agent: id.slice(0, 64) } });
  return (await agents.load(id)).id;
}

function refuseSocket(socket: WebSocket, error: unknown, log: GatewayLog): null {
  if (!(error instanceof CandorError)) log.error({ error }, 'a bug while opening a socket');
  const { info, code } =
    error instanceof CandorError
      ? error
      : new CandorError('internal', { facts: { reason: 'an unexpected error' }, cause: error });
  socket.send(JSON.stringify({ type: 'error', error: info }));
  socket.close(closeCodeOf(code), code);
  return null;
}

function toPeer(socket: WebSocket): SocketPeer {
  return {
    send(frames, sent) {
      frames.forEach((frame, index) => socket.send(frame, index === frames.length - 1 ? () => sent() : undefined));
    },
    close: (code, reason) => socket.close(code, reason),
  };
}

/** A peer that is gone without a word is noticed by the ping that it does not answer. */
function keepAlive(socket: WebSocket): () => void {
  let alive = true;
  socket.on('pong', () => (alive = true));
  const timer = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, pingEveryMs).unref();
  return () => clearInterval(timer);
}
