// The gateway as a Fastify application, apart from the server that listens: routes, sockets and the page over the same
// feeds. It holds no truth; stopping it loses nothing but sockets.

import fastifyStatic from '@fastify/static';
import fastifyWebsocket from '@fastify/websocket';
import Fastify, { LogController, type FastifyInstance } from 'fastify';
import { CandorError } from '../protocol/errors.ts';
import type { AgentId } from '../protocol/ids.ts';
import { selectSubprotocol } from './auth/socket-token.ts';
import { createAuthenticate } from './authenticate.ts';
import { createConversationWatchers } from './conversation-watchers.ts';
import type { GatewayDependencies } from './gateway-dependencies.ts';
import { replyWithProblem } from './problem.ts';
import { conversationRoutes } from './routes/conversations.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { receiptKeyRoutes } from './routes/receipt-keys.ts';
import { publicRoutes, serviceRoutes } from './routes/service.ts';
import { turnRoutes } from './routes/turns.ts';
import { socketRoutes } from './sockets.ts';
import { createTurnFeeds } from './turn-feeds.ts';
import { createTurnService } from './turn-service.ts';
import { createTurnSweep } from './turn-sweep.ts';

/** A message with its attachments, escaped; larger frames and bodies are refused unread. */
const maxFrameBytes = 512 * 1024;
/** A request that is not whole after so long is refused, an upgrade among them. */
const requestMs = 30_000;
const defaultAgent = 'operator' as AgentId;

const contentSecurityPolicy =
  "default-src 'self'; connect-src 'self' ws: wss:; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Queries may hold what must not be logged. */
const pathOf = (url: string): string => url.split('?')[0] ?? url;

export async function createApp(dependencies: GatewayDependencies): Promise<FastifyInstance> {
  const { engine, graph, lane, agents, verifyToken, checkOrigin, webDir, log } = dependencies;
  const app = Fastify({
    bodyLimit: maxFrameBytes,
    loggerInstance: log,
    // Requests carry tokens and their addresses may: none is logged.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    requestTimeout: requestMs,
  });
  app.setErrorHandler(replyWithProblem);
  app.setNotFoundHandler((request, reply) =>
    replyWithProblem(new CandorError('no_data', { facts: { subject: pathOf(request.url) } }), request, reply),
  );

  const { delivery } = dependencies.metrics;
  const feeds = createTurnFeeds({ lane, engine, graph, metrics: delivery, log });
  delivery.follows(() => ({ turns: feeds.size, readers: feeds.readers }));
  const watchers = createConversationWatchers({ lane, feeds, graph, log });
  const turns = createTurnService({ engine, graph, lane, feeds, watchers });
  const sweep = createTurnSweep({ engine, graph, feeds, log });
  app.addHook('onClose', async () => {
    sweep.close();
    watchers.close();
    feeds.close();
  });

  await app.register(fastifyWebsocket, {
    options: { maxPayload: maxFrameBytes, handleProtocols: selectSubprotocol, perMessageDeflate: false },
  });
  await app.register(socketRoutes, {
    ...{ agents, checkOrigin, feeds, turns, watchers, graph, verifyToken, metrics: delivery, log },
  });
  await app.register(publicRoutes, dependencies);
  await app.register(receiptKeyRoutes, dependencies);
  await app.register(metricsRoutes, dependencies);
  await app.register(async (signedIn) => {
    signedIn.addHook('onRequest', createAuthenticate(verifyToken));
    await signedIn.register(turnRoutes, { feeds, turns, graph, engine, agents, defaultAgent, metrics: delivery });
    await signedIn.register(conversationRoutes, { graph, engine, feeds });
    await signedIn.register(serviceRoutes, dependencies);
  });
  if (webDir !== null) {
    await app.register(fastifyStatic, {
      root: webDir,
      setHeaders: (response) => {
        response.setHeader('content-security-policy', contentSecurityPolicy);
        response.setHeader('x-content-type-options', 'nosniff');
        response.setHeader('referrer-policy', 'no-referrer');
      },
    });
  }
  return app;
}
