/**
 * The HTTP side: OpenAI's routes over a chat engine that may still be loading. A client that hangs up takes its
 * generation with it: nobody else should wait for an answer that nobody reads.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import type { ChatEngine, EngineSession, EngineState } from './chat-engine.ts';
import { collectCompletion, streamCompletion, type CompletionIdentity } from './completion-body.ts';
import { planCompletion } from './completion-plan.ts';
import { runCompletion } from './completion.ts';
import {
  createContextTooLong,
  createInternalErrorBody,
  createInvalidRequest,
  createModelFailed,
  createModelLoading,
  createModelNotFound,
  Refusal,
  type OpenAiErrorBody,
} from './openai-error.ts';
import { parseChatRequest } from './request-schema.ts';

export type ModelServerOptions = {
  /** What `/v1/models` shows and answers carry. */
  readonly alias: string;
  /** Other names the model is asked for by. */
  readonly otherNames: readonly string[];
  readonly state: () => EngineState;
  readonly nowMs: () => number;
  readonly log: (line: string) => void;
};

const BODY_LIMIT_BYTES = 4 * 1024 * 1024;
const MAX_SEED = 2 ** 32;

export function createModelServer(options: ModelServerOptions): FastifyInstance {
  const startedSeconds = Math.floor(options.nowMs() / 1000);
  const app = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId: () => `req_${randomUUID()}`,
    forceCloseConnections: true,
  });

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    if (request.url.startsWith('/v1/')) requireEngine(options.state());
  });
  app.setErrorHandler((error: FastifyError | Refusal, request, reply) => {
    if (reply.raw.destroyed) return reply.code(499).send();
    const refusal = toRefusal(error);
    if (refusal === null) {
      options.log(`${request.id}: ${error.stack ?? error.message}`);
      return reply.code(500).send(createInternalErrorBody());
    }
    if (refusal.retryAfterSeconds !== null) reply.header('retry-after', refusal.retryAfterSeconds);
    return reply.code(refusal.status).send(refusal.body);
  });
  app.setNotFoundHandler((request, reply) => {
    const message = `Invalid URL (${request.method} ${request.url})`;
    const refusal = new Refusal(message, { status: 404, type: 'invalid_request_error', code: 'unknown_url' });
    return reply.code(404).send(refusal.body);
  });

  app.get('/health', async () => toHealth(options.state(), options.alias));
  const toModel = (): object => ({
    id: options.alias,
    object: 'model',
    created: startedSeconds,
    owned_by: 'local',
    context_length: requireEngine(options.state()).contextTokens,
  });
  app.get('/v1/models', async () => ({ object: 'list', data: [toModel()] }));
  app.get<{ Params: { model: string } }>('/v1/models/:model', async ({ params }) => {
    requireModel(params.model, options);
    return toModel();
  });
  app.post('/v1/chat/completions', async (request, reply) => {
    const toErrorBody = (error: unknown): OpenAiErrorBody => {
      if (error instanceof Refusal) return error.body;
      if (!reply.raw.destroyed) options.log(`${request.id}: ${error instanceof Error ? error.stack : String(error)}`);
      return createInternalErrorBody();
    };
    return answerChat(options, request.body, reply, toErrorBody);
  });
  return app;
}

async function answerChat(
  options: ModelServerOptions,
  body: unknown,
  reply: FastifyReply,
  toErrorBody: (error: unknown) => OpenAiErrorBody,
): Promise<unknown> {
  const engine = requireEngine(options.state());
  const request = parseChatRequest(body);
  requireModel(request.model, options);
  const plan = planCompletion(request, randomInt(MAX_SEED));
  const prompt = engine.tokenize(plan.segments);
  if (prompt.length >= engine.contextTokens) throw createContextTooLong(prompt.length, engine.contextTokens);
  const room = engine.contextTokens - prompt.length;
  const maxTokens = Math.min(plan.maxTokens ?? room, room);

  const session = await openForReply(engine, prompt, reply);
  const identity: CompletionIdentity = {
    id: `chatcmpl-${randomUUID()}`,
    created: Math.floor(options.nowMs() / 1000),
    model: options.alias,
    promptTokens: prompt.length,
    cachedTokens: session.value.cachedTokens,
    newCallId: () => `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`,
  };
  const events = runCompletion(session.value, plan, maxTokens, session.signal);
  if (request.stream !== true) return collectCompletion(events, identity);
  const includeUsage = request.stream_options?.include_usage === true;
  reply.header('content-type', 'text/event-stream; charset=utf-8').header('cache-control', 'no-cache');
  return reply.send(Readable.from(streamCompletion(events, identity, { includeUsage, toErrorBody })));
}

/** The session ends with the reply, however that ends: sent, failed, or the client gone. */
async function openForReply(
  engine: ChatEngine,
  prompt: readonly number[],
  reply: FastifyReply,
): Promise<{ readonly value: EngineSession; readonly signal: AbortSignal }> {
  const controller = new AbortController();
  const { signal } = controller;
  reply.raw.once('close', () => controller.abort(new Error('the client closed the connection')));
  if (reply.raw.destroyed) controller.abort(new Error('the client closed the connection'));
  const session = await engine.open(prompt, signal);
  if (signal.aborted) {
    session.release();
    throw signal.reason as Error;
  }
  signal.addEventListener('abort', session.release, { once: true });
  return { value: session, signal };
}

function requireEngine(state: EngineState): ChatEngine {
  switch (state.status) {
    case 'loading':
      throw createModelLoading(state.progress);
    case 'failed':
      throw createModelFailed(state.error);
    case 'ready':
      return state.engine;
  }
}

function requireModel(name: string, { alias, otherNames }: ModelServerOptions): void {
  if (name !== alias && !otherNames.includes(name)) throw createModelNotFound(name, alias);
}

function toHealth(state: EngineState, model: string): object {
  switch (state.status) {
    case 'loading':
      return { status: state.status, model, progress: state.progress };
    case 'failed':
      return { status: state.status, model, error: state.error };
    case 'ready':
      return { status: state.status, model, contextTokens: state.engine.contextTokens, ...state.engine.occupancy() };
  }
}

/** What Fastify itself refuses (broken JSON, a body too big, another media type) in the same shape as our refusals. */
function toRefusal(error: FastifyError | Refusal): Refusal | null {
  if (error instanceof Refusal) return error;
  if (error.statusCode === 400) return createInvalidRequest(error.message, null);
  if (error.statusCode === undefined || error.statusCode < 400 || error.statusCode >= 500) return null;
  return new Refusal(error.message, { status: error.statusCode, type: 'invalid_request_error', code: null });
}
