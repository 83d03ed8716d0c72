// What is not about turns: agents, sign-in, health, the state of the parts.

import type { FastifyInstance } from 'fastify';
import { CandorError } from '../../protocol/errors.ts';
import type { AgentSummary } from '../../protocol/frames.ts';
import type { AgentDefinition } from '../../protocol/ports.ts';
import type { GatewayDependencies } from '../gateway-dependencies.ts';
import { hasBearer, readToken } from '../auth/socket-token.ts';

/** Routes that need no token. */
export async function publicRoutes(app: FastifyInstance, dependencies: GatewayDependencies): Promise<void> {
  const { engine, graph, lane, modelStatus, signIn, verifyToken } = dependencies;

  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (request, reply) => {
    const [temporal, neo4j] = await Promise.all([answers(engine.ping()), answers(graph.ping())]);
    const ready = temporal && neo4j;
    void reply.code(ready ? 200 : 503);
    // Which part is away is nobody's business but the operator's.
    const known =
      hasBearer(request.headers) && (await verifyToken(readToken(request.headers)).then(() => true, isRefused));
    const parts = { temporal, neo4j, model: modelStatus().state === 'ready', lane: lane.status() };
    return known ? { ready, parts } : { ready };
  });
  app.post('/api/session', async (request) => {
    if (signIn === null) throw new CandorError('forbidden');
    const body = request.body as { code?: unknown } | null;
    if (typeof body?.code !== 'string')
      throw new CandorError('invalid_request', { facts: { reason: 'code is missing' } });
    const token = await signIn.exchange(body.code, request.headers.host);
    const { userId, expiresAt } = await verifyToken(token);
    return { token, expiresAt: expiresAt.toISOString(), user: userId };
  });
}

/** Routes that need a token and are the same for every user. */
export async function serviceRoutes(app: FastifyInstance, dependencies: GatewayDependencies): Promise<void> {
  const { agents, defaultModel, modelStatus, temporalUi } = dependencies;
  app.get('/api/agents', async () => {
    const { agents: valid, broken } = await agents.list();
    return { agents: valid.map((agent) => toSummary(agent, defaultModel)), broken };
  });
  app.get('/api/status', async () => ({ model: modelStatus(), temporalUi }));
}

const toSummary = ({ id, name, description, model }: AgentDefinition, defaultModel: string): AgentSummary => ({
  id,
  name,
  description,
  model: model ?? defaultModel,
});

async function answers(ping: Promise<void>): Promise<boolean> {
  try {
    await ping;
    return true;
  } catch (error) {
    if (error instanceof CandorError) return false;
    throw error;
  }
}

function isRefused(error: unknown): false {
  if (error instanceof CandorError) return false;
  throw error;
}
