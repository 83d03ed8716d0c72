// The figures of this process for Prometheus. They hold no id, no name and no text; how much goes on here is still
// nobody's business but the operator's. Whoever asks from this machine is the operator; others bring a token. A page of
// another site that got its name to mean this machine still names itself in `Host`.

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopbackHost, isLoopbackHostHeader } from '../auth/loopback.ts';
import { readToken } from '../auth/socket-token.ts';
import type { GatewayDependencies } from '../gateway-dependencies.ts';

export async function metricsRoutes(
  app: FastifyInstance,
  { metrics, verifyToken }: Pick<GatewayDependencies, 'metrics' | 'verifyToken'>,
): Promise<void> {
  app.get('/metrics', async (request, reply) => {
    if (!isFromHere(request)) await verifyToken(readToken(request.headers));
    const { contentType, text } = await metrics.read();
    return reply.header('cache-control', 'no-store').header('content-type', contentType).send(text);
  });
}

const isFromHere = ({ socket, headers }: FastifyRequest): boolean =>
  isLoopbackHost((socket.remoteAddress ?? '').replace(/^::ffff:/, '')) && isLoopbackHostHeader(headers.host);
