import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createOpenAiModel, type OpenAiModel } from '../../src/llm/openai.ts';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import {
  answer,
  bytesAfter,
  createUpstream,
  endAfter,
  errorAfter,
  hangUp,
  invalidUtf8After,
  mute,
  rawEventAfter,
  refuse,
  resetAfter,
  silentAfter,
  type Behaviour,
  type Upstream,
} from '../../testing/upstream/upstream.ts';
import { callModel, failureOf, timeouts } from './call-model.ts';

const apiKey = 'wire-key-0123456789';
const nowMs = Date.UTC(2026, 0, 1, 12, 0, 0);

let upstream: Upstream;
let model: OpenAiModel;
beforeEach(async () => {
  upstream = await createUpstream();
  model = createOpenAiModel({ baseUrl: upstream.url, apiKey, nowMs: () => nowMs });
});
afterEach(async () => {
  await upstream.close();
  await model.close();
});

interface Row {
  readonly name: string;
  readonly behaviour: Behaviour;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly message?: string;
  readonly answer?: string;
  /** The failure of the body may overtake text that waits to be read; all of it would be discarded anyway. */
  readonly overtakes?: true;
  readonly status?: number | null;
  readonly retryAfterMs?: number;
}

const vendorWords = 'the vendor speaks of wire-key-0123456789';
const error = (code: string | number | null, type: string, message = vendorWords) => ({
  error: { code, type, message },
});
const quick = { timeouts: { ...timeouts, firstTokenMs: 150, silenceMs: 150 } };

const unavailable = [408, 409, 500, 502, 503, 504, 529].map((status): Row => ({
  name: `status ${status}`,
  behaviour: refuse(status, error(null, 'server_error')),
  code: 'llm_unavailable',
  retryable: true,
  message: `(status ${status})`,
  status,
}));

const rows: readonly Row[] = [
  ...unavailable,
  {
    name: 'the connection is closed before the headers',
    behaviour: hangUp(),
    code: 'llm_unavailable',
    retryable: true,
    message: 'closed before an answer',
    status: null,
  },
  {
    name: 'the connection is reset before the first byte of the stream',
    behaviour: resetAfter([]),
    code: 'llm_unavailable',
    retryable: true,
    status: 200,
  },
  {
    name: 'the local server still loads its model',
    behaviour: refuse(503, error('model_loading', 'unavailable_error')),
    code: 'llm_unavailable',
    retryable: true,
    message: '(the model is still loading)',
  },
  {
    name: 'llama-server still loads its model',
    behaviour: refuse(503, error(503, 'unavailable_error', 'Loading model')),
    code: 'llm_unavailable',
    retryable: true,
    message: '(the model is still loading)',
  },
  {
    name: 'an error object of a server kind in the stream',
    behaviour: errorAfter(['a'], { type: 'server_error', message: vendorWords, code: null }),
    code: 'llm_unavailable',
    retryable: true,
    answer: 'a',
    status: 200,
  },
  {
    name: 'an error object in the stream that is a text only',
    behaviour: errorAfter(['a'], vendorWords),
    code: 'llm_unavailable',
    retryable: true,
    answer: 'a',
  },
  {
    name: 'an error object in the stream of the shape of vLLM',
    behaviour: rawEventAfter(['a'], JSON.stringify({ object: 'error', message: vendorWords, code: 500 })),
    code: 'llm_unavailable',
    retryable: true,
    message: '(status 500)',
    answer: 'a',
  },
  {
    name: 'an error object in the stream that is a rate limit',
    behaviour: errorAfter(['a'], { type: 'rate_limit_error', message: vendorWords }),
    code: 'llm_rate_limited',
    retryable: true,
    answer: 'a',
  },
  {
    name: 'an error object in the stream that is an invalid request',
    behaviour: errorAfter(['a'], { type: 'invalid_request_error', message: vendorWords }),
    code: 'llm_invalid_output',
    retryable: false,
    answer: 'a',
  },
  { name: 'no answer in time', behaviour: mute(), code: 'llm_timeout', retryable: true, message: 'within 0.15 s' },
  {
    name: 'headers, and no first token in time',
    behaviour: silentAfter([]),
    code: 'llm_timeout',
    retryable: true,
    message: 'within 0.15 s',
  },
  {
    name: 'silence between tokens',
    behaviour: silentAfter(['a', 'b']),
    code: 'llm_timeout',
    retryable: true,
    answer: 'ab',
  },
  {
    name: '429 with a rate limit and Retry-After in seconds',
    behaviour: refuse(429, error('rate_limit_exceeded', 'requests'), { 'retry-after': '7' }),
    code: 'llm_rate_limited',
    retryable: true,
    retryAfterMs: 7_000,
    status: 429,
  },
  {
    name: '429 with Retry-After as a date',
    behaviour: refuse(429, error('rate_limit_exceeded', 'requests'), {
      'retry-after': new Date(nowMs + 90_000).toUTCString(),
    }),
    code: 'llm_rate_limited',
    retryable: true,
    retryAfterMs: 90_000,
  },
  {
    name: '429 with retry-after-ms, which is the more exact one',
    behaviour: refuse(429, error(null, 'tokens'), { 'retry-after': '2', 'retry-after-ms': '1250' }),
    code: 'llm_rate_limited',
    retryable: true,
    retryAfterMs: 1_250,
  },
  {
    name: '503 with Retry-After',
    behaviour: refuse(503, 'busy', { 'retry-after': '3' }),
    code: 'llm_unavailable',
    retryable: true,
    retryAfterMs: 3_000,
  },
  {
    name: '429 with a quota that is used up',
    behaviour: refuse(429, error('insufficient_quota', 'insufficient_quota')),
    code: 'llm_quota_exhausted',
    retryable: false,
  },
  { name: 'status 402', behaviour: refuse(402), code: 'llm_quota_exhausted', retryable: false },
  { name: 'status 401', behaviour: refuse(401, error('invalid_api_key', 'auth')), code: 'llm_auth', retryable: false },
  { name: 'status 403', behaviour: refuse(403, '<html>no</html>'), code: 'llm_auth', retryable: false },
  {
    name: 'status 404',
    behaviour: refuse(404, error('model_not_found', 'invalid_request_error')),
    code: 'llm_model_not_found',
    retryable: false,
    message: 'no model named wire-model',
  },
  {
    name: '400 in the words of OpenAI for a context too long',
    behaviour: refuse(400, error('context_length_exceeded', 'invalid_request_error')),
    code: 'llm_context_too_long',
    retryable: false,
  },
  {
    name: '400 in the words of llama.cpp for a context too long',
    behaviour: refuse(400, error(400, 'exceed_context_size_error')),
    code: 'llm_context_too_long',
    retryable: false,
  },
  {
    name: '400 in the words of vLLM for a context too long',
    behaviour: refuse(400, {
      object: 'error',
      message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
      type: 'BadRequestError',
      code: 400,
    }),
    code: 'llm_context_too_long',
    retryable: false,
  },
  { name: 'status 413', behaviour: refuse(413, 'too large'), code: 'llm_context_too_long', retryable: false },
  {
    name: 'another 400',
    behaviour: refuse(400, error(null, 'invalid_request_error')),
    code: 'llm_invalid_output',
    retryable: false,
    message: 'refused the request with status 400',
  },
  { name: 'status 422', behaviour: refuse(422), code: 'llm_invalid_output', retryable: false },
  { name: 'status 405', behaviour: refuse(405), code: 'llm_invalid_output', retryable: false },
  {
    name: '400 of a content filter',
    behaviour: refuse(400, error('content_filter', 'invalid_request_error')),
    code: 'llm_content_filtered',
    retryable: false,
  },
  {
    name: 'the connection lost after the first byte',
    behaviour: resetAfter(['a', 'b']),
    code: 'llm_stream_truncated',
    retryable: true,
    answer: 'ab',
    overtakes: true,
    status: 200,
  },
  {
    name: 'an orderly end without a finish reason',
    behaviour: endAfter(['a', 'b']),
    code: 'llm_stream_truncated',
    retryable: true,
    answer: 'ab',
  },
  {
    name: 'an end in the middle of an event',
    behaviour: bytesAfter(['a'], new TextEncoder().encode('data: {"choices":[{"del')),
    code: 'llm_stream_truncated',
    retryable: true,
    answer: 'a',
  },
  {
    name: 'an event that is no JSON',
    behaviour: rawEventAfter(['a'], '{oops'),
    code: 'llm_invalid_output',
    retryable: true,
    message: 'an event that is no JSON',
    answer: 'a',
  },
  { name: 'an event that is null', behaviour: rawEventAfter([], 'null'), code: 'llm_invalid_output', retryable: true },
  {
    name: 'a chunk without choices',
    behaviour: rawEventAfter([], '{"hello":1}'),
    code: 'llm_invalid_output',
    retryable: true,
  },
  {
    name: 'a content that is no text',
    behaviour: rawEventAfter([], '{"choices":[{"delta":{"content":{"a":1}}}]}'),
    code: 'llm_invalid_output',
    retryable: true,
  },
  {
    name: 'bytes that are no UTF-8',
    behaviour: invalidUtf8After(['a']),
    code: 'llm_invalid_output',
    retryable: true,
    message: 'no UTF-8',
    answer: 'a',
    overtakes: true,
  },
  {
    name: 'half of a surrogate pair in the middle',
    behaviour: answer(['a', '\ud83d', 'b']),
    code: 'llm_invalid_output',
    retryable: true,
    message: 'a broken character',
  },
  {
    name: 'half of a surrogate pair at the end',
    behaviour: answer(['a', '\ud83d']),
    code: 'llm_invalid_output',
    retryable: true,
    message: 'a broken character',
  },
  {
    name: 'a tool call that nobody offered',
    behaviour: rawEventAfter(
      [],
      '{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"x","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}',
    ),
    code: 'llm_invalid_output',
    retryable: true,
    message: 'a tool that was not offered',
  },
  {
    name: 'a call of a function in the form of old',
    behaviour: rawEventAfter(
      [],
      '{"choices":[{"delta":{"function_call":{"name":"x","arguments":"{}"}},"finish_reason":"function_call"}]}',
    ),
    code: 'llm_invalid_output',
    retryable: true,
    message: 'a tool that was not offered',
  },
  {
    name: 'finish_reason tool_calls without a call',
    behaviour: answer(['a'], { finishReason: 'tool_calls' }),
    code: 'llm_invalid_output',
    retryable: true,
    message: 'a tool that was not offered',
    answer: 'a',
  },
  {
    name: 'a tool call whose arguments are no JSON',
    behaviour: rawEventAfter(
      ['a'],
      '{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"x","arguments":"{\\"a\\": "}}]},"finish_reason":"tool_calls"}]}',
    ),
    code: 'llm_invalid_output',
    retryable: true,
    message: 'arguments that are no JSON',
    answer: 'a',
  },
  {
    name: 'a tool call whose arguments never end',
    behaviour: rawEventAfter(
      [],
      JSON.stringify({ choices: [{ delta: { tool_calls: [{ function: { arguments: 'x'.repeat(300 * 1_024) } }] } }] }),
    ),
    code: 'llm_reply_too_long',
    retryable: false,
  },
  {
    name: 'a proxy’s page in the middle of the stream',
    behaviour: bytesAfter(['a'], new TextEncoder().encode('<html><body>Bad gateway</body></html>\n')),
    code: 'llm_invalid_output',
    retryable: true,
    message: 'a line that is no event',
    overtakes: true,
    answer: 'a',
  },
  {
    name: 'finish_reason error',
    behaviour: answer(['a'], { finishReason: 'error' }),
    code: 'llm_unavailable',
    retryable: true,
    message: 'an error in place of the end',
    answer: 'a',
  },
  {
    name: 'finish_reason abort',
    behaviour: answer(['a'], { finishReason: 'abort' }),
    code: 'llm_stream_truncated',
    retryable: true,
    answer: 'a',
  },
  {
    name: 'a page in place of a stream',
    behaviour: answer(['a'], { headers: { 'content-type': 'text/html' } }),
    code: 'llm_invalid_output',
    retryable: true,
    message: 'text/html in place of a stream',
  },
  { name: 'nothing', behaviour: answer([]), code: 'llm_empty_reply', retryable: true },
  {
    name: 'an end of the stream and nothing else',
    behaviour: bytesAfter([], new TextEncoder().encode('data: [DONE]\n\n')),
    code: 'llm_empty_reply',
    retryable: true,
  },
  {
    name: 'white space only',
    behaviour: answer([' ', '\n\t']),
    code: 'llm_empty_reply',
    retryable: true,
    answer: ' \n\t',
  },
  {
    name: 'reasoning only',
    behaviour: answer([], { reasoning: ['hm'] }),
    code: 'llm_empty_reply',
    retryable: true,
  },
  {
    name: 'finish_reason content_filter',
    behaviour: answer(['a'], { finishReason: 'content_filter' }),
    code: 'llm_content_filtered',
    retryable: false,
    answer: 'a',
  },
  {
    name: 'a reply of 10 MB in small chunks',
    behaviour: answer(Array.from({ length: 10_240 }, () => 'x'.repeat(1_024))),
    code: 'llm_reply_too_long',
    retryable: false,
    message: 'exceeded 256 KiB',
    answer: 'x'.repeat(256 * 1_024),
  },
  {
    name: 'a reply of 10 MB in one chunk',
    behaviour: answer(['x'.repeat(10 * 1_024 * 1_024)]),
    code: 'llm_reply_too_long',
    retryable: false,
    answer: '',
  },
];

describe('a failure of the backend', () => {
  test.each(rows)('$name is $code', async (row) => {
    upstream.chat.enqueue(row.behaviour);
    const outcome = await callModel(model, row.code === 'llm_timeout' ? quick : {});
    const failure = failureOf(outcome);
    expect([failure.code, failure.info.retryable]).toEqual([row.code, row.retryable]);
    expect(failure.message).toContain(row.message ?? '');
    expect(failure.message).not.toMatch(/unknown|vendor|wire-key/);
    expect(failure.message).toBe(failure.info.message);
    if (row.overtakes === true) expect(row.answer?.startsWith(outcome.answer)).toBe(true);
    else if (row.answer !== undefined) expect(outcome.answer).toBe(row.answer);
    if (row.retryAfterMs !== undefined) expect(failure.info.retryAfterMs).toBe(row.retryAfterMs);
    if (row.status !== undefined) expect(failure.info.upstream?.status ?? null).toBe(row.status);
    expect(upstream.calls).toHaveLength(1);
    await upstream.call(1).closed;
  });

  test('names the request for whoever runs the backend', async () => {
    upstream.chat.enqueue(refuse(500, error(null, 'server_error'), { 'x-request-id': 'req-from-the-vendor' }));
    const failure = failureOf(await callModel(model));
    expect(failure.info.upstream).toEqual({ status: 500, requestId: 'req-from-the-vendor' });
  });

  test('keeps the vendor’s words as the cause, without the key', async () => {
    upstream.chat.enqueue(refuse(401, error('invalid_api_key', 'auth', `bad key ${apiKey} or sk-abcdefghijkl`)));
    const { cause } = failureOf(await callModel(model));
    expect((cause as Error).message).toBe('status 401; invalid_api_key; auth; bad key *** or sk-***');
    expect((cause as Error).stack).not.toContain(apiKey);
  });

  test('tells what a call has cost whose reply is no answer', async () => {
    upstream.chat.enqueue(answer([' ']));
    const { finish } = await callModel(model);
    expect(finish).toMatchObject({ finishReason: 'stop', responseId: 'chatcmpl-1', usage: { totalTokens: 8 } });
  });

  test('closes the connection of a call that was silent for too long', async () => {
    upstream.chat.enqueue(silentAfter(['a']));
    await callModel(model, quick);
    expect((await upstream.call(1).closed).closedAt).not.toBeNull();
  });
});

describe('a backend that cannot be reached', () => {
  const fail = async (baseUrl: string, connectMs = 2_000) => {
    const away = createOpenAiModel({ baseUrl, apiKey: null });
    try {
      return failureOf(await callModel(away, { timeouts: { ...timeouts, connectMs } }));
    } finally {
      await away.close();
    }
  };

  test('is llm_unavailable when it refuses the connection', async () => {
    const closed = await createUpstream();
    await closed.close();
    const failure = await fail(closed.url);
    expect(failure.code).toBe('llm_unavailable');
    expect(failure.message).toBe(
      `The model wire-model at ${new URL(closed.url).origin} did not answer (connection refused).`,
    );
    expect(failure.info.upstream).toBeUndefined();
    expect((failure.cause as Error).message).toContain('ECONNREFUSED');
  });

  test('is llm_unavailable when its name is unknown', async () => {
    const failure = await fail('http://no-such-host.invalid/v1');
    expect([failure.code, failure.info.retryable]).toEqual(['llm_unavailable', true]);
    expect(failure.message).toContain('its name could not be resolved');
  });

  test('is llm_unavailable when it speaks no TLS', async () => {
    const failure = await fail(upstream.url.replace('http:', 'https:'));
    expect(failure.code).toBe('llm_unavailable');
    expect(failure.message).toContain('no trusted TLS connection');
  });

  test('is llm_timeout when the connection is not made in time', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => socket.destroy())));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    // A TLS handshake that nobody answers belongs to connecting.
    const failure = await fail(`https://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`, 200);
    for (const socket of sockets) socket.destroy();
    silent.close();
    expect(failure.code).toBe('llm_timeout');
    expect(failure.message).toContain('within 0.2 s');
    expect((failure.cause as Error).message).toBe('no connection within 0.2 s');
  });
});
