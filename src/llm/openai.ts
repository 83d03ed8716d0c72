// The model behind any server that speaks OpenAI's chat-completions protocol. One call, never tried again here: the
// workflow owns the retries, so that each failed attempt is seen. A reply counts only when its end came with it.

import OpenAI from 'openai';
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import { CandorError } from '../protocol/errors.ts';
import type { LanguageModel, ModelChunk, ModelRequest } from '../protocol/ports.ts';
import { createBackendFetch, type Exchange } from './backend-fetch.ts';
import { toStrictSchema } from './json-schema.ts';
import {
  isConnectTimeout,
  toConnectionError,
  toInvalidOutput,
  toModelError,
  toRefusal,
  toTimeout,
  toTruncated,
  type FailedCall,
} from './model-error.ts';
import { createReply, toReplyTooLong } from './reply.ts';
import { parseRetryAfter } from './retry-after.ts';
import { parseVendorError } from './vendor-error.ts';
import { createWatchdog } from './watchdog.ts';

export interface OpenAiModelOptions {
  /** Ends with `/v1` as a rule. User and password in it become Basic credentials when there is no key. */
  readonly baseUrl: string;
  /** `null`: requests carry no key. */
  readonly apiKey: string | null;
  /** Milliseconds since the epoch, for a `Retry-After` that is a date. */
  readonly nowMs?: () => number;
}

/**
 * `stream` gives the `finish` chunk first and throws after it when the finished reply is no answer (`llm_empty_reply`,
 * `llm_content_filtered`, `llm_invalid_output` for a tool call): what such a call cost is known then all the same.
 */
export interface OpenAiModel extends LanguageModel {
  /** Ends idle connections. Calls that still run end by themselves. */
  close(): Promise<void>;
}

/** How long the usage may trail the finish reason: the answer is whole without it. */
const usageWaitMs = 2_000;
/** The longest that a timer can hold; the watchdog ends calls much sooner. */
const maxTimerMs = 2 ** 31 - 1;

/** @throws Error when the address is none */
export function createOpenAiModel({ baseUrl, apiKey, nowMs = Date.now }: OpenAiModelOptions): OpenAiModel {
  const address = parseAddress(baseUrl);
  const backend = address.origin;
  const basic = toBasicCredentials(address);
  address.username = '';
  address.password = '';
  const secrets = [apiKey, basic].filter((secret) => secret !== null);
  const ways = createBackendFetch();

  const createClient = (fetch: typeof globalThis.fetch): OpenAI =>
    new OpenAI({
      baseURL: address.href.replace(/\/$/, ''),
      fetch,
      // Each is named so that the client looks for none of them in the environment.
      apiKey: apiKey ?? 'none',
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      logLevel: 'off',
      maxRetries: 0,
      timeout: maxTimerMs,
      ...(apiKey === null ? { defaultHeaders: { Authorization: basic === null ? null : `Basic ${basic}` } } : {}),
    });

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelChunk, void, undefined> {
    signal.throwIfAborted();
    const { connectMs, firstTokenMs, silenceMs } = request.timeouts;
    const { fetch, exchange } = ways.begin(connectMs);
    const describe = (): FailedCall => ({
      model: request.model,
      backend,
      secrets,
      upstream: exchange.response && {
        status: exchange.response.status,
        requestId: exchange.response.headers.get('x-request-id'),
      },
    });
    const connection = new AbortController();
    const watchdog = createWatchdog(() => connection.abort());
    const reply = createReply(describe);
    let begun = false;
    let finished = false;

    /** Names what went wrong; `null` for an error that nobody foresaw. */
    const explain = (): CandorError | null => {
      if (watchdog.expiredMs !== null) {
        return toTimeout(describe(), watchdog.expiredMs, begun ? 'no further token' : 'no first token');
      }
      const { connectionFailure, refusal, response } = exchange;
      if (connectionFailure !== null) {
        return isConnectTimeout(connectionFailure.cause)
          ? toTimeout(describe(), connectMs, 'no connection')
          : toConnectionError(describe(), connectionFailure.cause);
      }
      if (refusal !== null && response !== null) {
        const retryAfterMs = parseRetryAfter(response.headers, nowMs());
        return toRefusal(describe(), response.status, parseVendorError(refusal), retryAfterMs);
      }
      return explainBody(describe(), exchange);
    };

    try {
      watchdog.grant(firstTokenMs);
      const client = createClient(fetch);
      const options = { signal: AbortSignal.any([signal, connection.signal]) };
      await watchdog.watch(client.chat.completions.create(toBody(request, backend), options).asResponse());
      refuseOtherTypes(describe(), exchange);
      for (;;) {
        const events = await watchdog.watch(exchange.readEvents());
        if (events === null) break;
        const { texts, failure } = reply.read(events);
        if (texts.length > 0) {
          begun = true;
          watchdog.grant(silenceMs);
        }
        for (const text of texts) yield text;
        if (failure !== null) throw failure;
        if (!finished && reply.finish() !== null) {
          finished = true;
          watchdog.grant(Math.min(silenceMs, usageWaitMs));
        }
      }
      signal.throwIfAborted();
    } catch (error) {
      signal.throwIfAborted();
      // Behind its finish reason an answer is whole: there, a lost connection costs at most the count of tokens.
      const lostTheEnd = watchdog.expiredMs !== null || exchange.bodyFault?.kind === 'connection';
      if (error instanceof CandorError) throw error;
      if (!(finished && lostTheEnd)) throw explain() ?? error;
    } finally {
      watchdog.end();
      connection.abort();
    }

    const finish = reply.finish();
    if (finish === null) {
      const isEmpty = reply.chunks === 0 && watchdog.expiredMs === null;
      if (isEmpty) throw toModelError(describe(), 'llm_empty_reply');
      throw explain() ?? toTruncated(describe(), new Error('the stream ended without a finish reason'));
    }
    yield finish;
    const problem = reply.problem();
    if (problem !== null) throw problem;
  }

  return { backend, stream, close: () => ways.close() };
}

function explainBody(call: FailedCall, { bodyFault, bodyBytes }: Exchange): CandorError | null {
  switch (bodyFault?.kind) {
    case undefined:
      return null;
    case 'notUtf8':
      return toInvalidOutput(call, 'bytes that are no UTF-8');
    case 'noEvents':
      return toInvalidOutput(call, 'a line that is no event');
    case 'lineTooLong':
      return toReplyTooLong(call);
    case 'connection':
      return bodyBytes === 0 ? toConnectionError(call, bodyFault.cause) : toTruncated(call, bodyFault.cause);
  }
}

/** A server that ignores `stream`, or a proxy's page: no event would ever come of it. */
function refuseOtherTypes(call: FailedCall, { response }: Exchange): void {
  const type = response?.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (['application/json', 'text/html'].includes(type)) throw toInvalidOutput(call, `${type} in place of a stream`);
}

function toBody(request: ModelRequest, backend: string): ChatCompletionCreateParamsStreaming {
  const { model, messages, temperature, maxTokens, jsonSchema } = request;
  return {
    model,
    messages: messages.map(({ role, content }) => ({ role, content })),
    stream: true,
    stream_options: { include_usage: true },
    ...(temperature === null ? {} : { temperature }),
    ...(maxTokens === null ? {} : toTokenLimit(maxTokens, backend)),
    ...(jsonSchema === undefined
      ? {}
      : {
          response_format: {
            type: 'json_schema',
            json_schema: { name: jsonSchema.name, schema: toStrictSchema(jsonSchema.schema), strict: true },
          },
        }),
  };
}

/** OpenAI's newer models refuse the old name; several other servers know only that one. */
const toTokenLimit = (maxTokens: number, backend: string) =>
  backend === 'https://api.openai.com' ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens };

function parseAddress(baseUrl: string): URL {
  if (!URL.canParse(baseUrl) || !/^https?:$/.test(new URL(baseUrl).protocol)) {
    throw new Error('unable to use the model backend; its base URL is no http(s) address; set OPENAI_BASE_URL');
  }
  return new URL(baseUrl);
}

function toBasicCredentials({ username, password }: URL): string | null {
  if (username === '' && password === '') return null;
  return Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
}
