import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createOpenAiModel, type OpenAiModel } from '../../src/llm/openai.ts';
import { verdictJsonSchema } from '../../src/protocol/schema.ts';
import {
  answer,
  createUpstream,
  createValve,
  stallAfterFinish,
  verdict,
  type Upstream,
} from '../../testing/upstream/upstream.ts';
import { callModel, failureOf, timeouts, toRequest } from './call-model.ts';

let upstream: Upstream;
let model: OpenAiModel;
beforeEach(async () => {
  upstream = await createUpstream();
  model = createOpenAiModel({ baseUrl: upstream.url, apiKey: 'wire-key' });
});
afterEach(async () => {
  await upstream.close();
  await model.close();
});

test('a redirect that keeps the request is followed, and no credentials go to another origin', async () => {
  const elsewhere = createServer((_request, response) => {
    response.writeHead(307, { location: `${upstream.url}/chat/completions` }).end();
  });
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  const baseUrl = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/v1`;
  const moved = createOpenAiModel({ baseUrl, apiKey: 'wire-key' });
  upstream.chat.enqueue(answer('here'));
  const { answer: text, error } = await callModel(moved);
  expect([text, error]).toEqual(['here', null]);
  expect(upstream.calls[0]).toMatchObject({ hadCredentials: false, body: { model: 'wire-model' } });
  await moved.close();
  elsewhere.close();
  elsewhere.closeAllConnections();
});

describe('a reply', () => {
  test('comes with its text, then its finish with ids and usage', async () => {
    upstream.chat.enqueue(answer(['Hel', 'lo'], { model: 'wire-model-0826' }));
    const { chunks, answer: text, error } = await callModel(model);
    expect([text, error]).toEqual(['Hello', null]);
    expect(chunks.filter(({ kind }) => kind === 'finish')).toEqual([
      {
        kind: 'finish',
        finishReason: 'stop',
        usage: { promptTokens: 7, completionTokens: 2, totalTokens: 9 },
        responseId: 'chatcmpl-1',
        model: 'wire-model-0826',
      },
    ]);
  });

  test('is read as it arrives', async () => {
    const valve = createValve();
    upstream.chat.enqueue(answer(['a', 'b'], { valve }));
    const chunks = model.stream(toRequest(), new AbortController().signal)[Symbol.asyncIterator]();
    valve.pass(1);
    expect((await chunks.next()).value).toMatchObject({ text: 'a' });
    expect(upstream.calls[0]?.written).toEqual(['a']);
    valve.open();
    expect((await chunks.next()).value).toMatchObject({ text: 'b' });
    expect((await chunks.next()).value).toMatchObject({ kind: 'finish' });
    expect((await chunks.next()).done).toBe(true);
  });

  test('that nobody takes comes as one piece when somebody does', async () => {
    const valve = createValve();
    const words = Array.from({ length: 500 }, (_, n) => `${n} `);
    upstream.chat.enqueue(answer(words, { valve }));
    const chunks = model.stream(toRequest(), new AbortController().signal)[Symbol.asyncIterator]();
    valve.pass(1);
    expect((await chunks.next()).value).toMatchObject({ text: '0 ' });
    valve.open();
    await upstream.call(1).closed;
    const texts: string[] = [];
    for await (const chunk of { [Symbol.asyncIterator]: () => chunks })
      if (chunk.kind === 'text') texts.push(chunk.text);
    expect(`0 ${texts.join('')}`).toBe(words.join(''));
    expect(texts.length).toBeLessThan(words.length / 5);
  });

  test('has unknown usage when the backend gives none', async () => {
    upstream.chat.enqueue(answer('x', { usage: null }));
    const { finish } = await callModel(model);
    expect(finish?.usage).toEqual({ promptTokens: null, completionTokens: null, totalTokens: null });
  });

  test('that ended at a limit of length is delivered with that reason', async () => {
    upstream.chat.enqueue(answer('half', { finishReason: 'length' }));
    const { finish, error } = await callModel(model);
    expect([finish?.finishReason, error]).toEqual(['length', null]);
  });

  test.each(['reasoning_content', 'reasoning'] as const)('gives reasoning by its own channel (%s)', async (field) => {
    upstream.chat.enqueue(answer(['so'], { reasoning: ['h', 'm'], reasoningField: field }));
    const { answer: text, reasoning } = await callModel(model);
    expect([text, reasoning]).toEqual(['so', 'hm']);
  });

  test('never has a surrogate pair split between two chunks', async () => {
    const valve = createValve();
    upstream.chat.enqueue(answer(['a\ud83d', '\ude00b', '\ud83d', '\ude80'], { valve }));
    const chunks = model.stream(toRequest(), new AbortController().signal)[Symbol.asyncIterator]();
    for (const [count, text] of [
      [1, 'a'],
      [1, '😀b'],
      [2, '🚀'],
    ] as const) {
      valve.pass(count);
      expect((await chunks.next()).value).toMatchObject({ text });
    }
    expect((await chunks.next()).value).toMatchObject({ kind: 'finish' });
    await chunks.return?.();
  });

  test('is whole when only its end does not come', async () => {
    upstream.chat.enqueue(stallAfterFinish(['whole']));
    const { answer: text, finish, error } = await callModel(model, { timeouts: { ...timeouts, silenceMs: 150 } });
    expect([text, finish?.finishReason, finish?.usage.totalTokens, error]).toEqual(['whole', 'stop', null, null]);
  });

  test('of exactly 256 KiB is accepted, one byte more is not', async () => {
    const limit = 256 * 1_024;
    upstream.chat.enqueue(answer(['é'.repeat(limit / 2)]), answer(['é'.repeat(limit / 2), 'x']));
    expect((await callModel(model)).error).toBeNull();
    expect(failureOf(await callModel(model)).code).toBe('llm_reply_too_long');
    expect((await upstream.call(2).closed).written).toHaveLength(2);
  });

  test('that a slow reader takes long over is not a silent backend', async () => {
    const valve = createValve();
    upstream.chat.enqueue(answer(['a', 'b', 'c'], { valve }));
    const limits = { ...timeouts, firstTokenMs: 400, silenceMs: 100 };
    const chunks = model.stream(toRequest({ timeouts: limits }), new AbortController().signal)[Symbol.asyncIterator]();
    valve.pass(1);
    await chunks.next();
    const busyUntil = performance.now() + 150;
    while (performance.now() < busyUntil) await new Promise((resolve) => setImmediate(resolve));
    valve.open();
    expect((await chunks.next()).value).toMatchObject({ text: expect.stringMatching(/^b/) });
    await chunks.return?.();
  });
});

describe('a request', () => {
  test('carries the prompt unaltered and asks for usage', async () => {
    upstream.chat.enqueue(answer('x'));
    const messages = [
      { role: 'system', content: 'You help.' },
      { role: 'user', content: '  hi  ' },
    ] as const;
    await callModel(model, { messages, temperature: 0.3, maxTokens: 50 });
    expect(upstream.calls[0]?.body).toEqual({
      model: 'wire-model',
      messages,
      temperature: 0.3,
      max_tokens: 50,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test('names a JSON schema, without keywords that strict mode refuses', async () => {
    upstream.audit.enqueue(verdict(true, 0.9, 'wrong'));
    const { answer: text } = await callModel(model, { jsonSchema: { name: 'verdict', schema: verdictJsonSchema } });
    expect(JSON.parse(text)).toEqual({ isIncorrect: true, confidence: 0.9, reason: 'wrong' });
    expect(upstream.calls[0]?.body.response_format).toEqual({
      type: 'json_schema',
      json_schema: {
        name: 'verdict',
        strict: true,
        schema: {
          type: 'object',
          properties: {
            isIncorrect: { type: 'boolean' },
            confidence: { type: 'number', minimum: 0, maximum: 1 },
            reason: { type: 'string' },
          },
          required: ['isIncorrect', 'confidence', 'reason'],
          additionalProperties: false,
        },
      },
    });
  });

  test.each([
    ['a key', 'wire-key', '', 'Bearer ***'],
    ['no key', null, '', undefined],
    ['user and password in the address', null, 'me:secret@', 'Basic ***'],
  ])('with %s sends it and shows it nowhere', async (_, apiKey, userInfo, authorization) => {
    upstream.chat.enqueue(answer('x'));
    const other = createOpenAiModel({ baseUrl: upstream.url.replace('://', `://${userInfo}`), apiKey });
    const { error } = await callModel(other);
    await other.close();
    expect(error).toBeNull();
    expect(upstream.calls[0]?.headers.authorization).toBe(authorization);
    expect(other.backend).toBe(new URL(upstream.url).origin);
  });

  test('reuses the connections of those before it', async () => {
    upstream.chat.always(answer(['a', 'b']));
    const connections = new Set<number | null | undefined>();
    for (let i = 0; i < 6; i++) {
      await callModel(model);
      connections.add(upstream.calls[i]?.clientPort);
    }
    // The pool takes a connection back only after its reply was read, so that two take turns.
    expect(connections.size).toBeLessThanOrEqual(2);
  });

  test('to an address that is none is refused at once', () => {
    expect(() => createOpenAiModel({ baseUrl: 'nowhere', apiKey: null })).toThrow('set OPENAI_BASE_URL');
  });
});

describe('a stop', () => {
  test('closes the connection at once and throws the signal’s reason', async () => {
    const valve = createValve();
    upstream.chat.enqueue(answer(['a', 'b', 'c'], { valve }));
    valve.pass(1);
    const stop = new AbortController();
    const reason = new Error('stopped by the user');
    const call = callModel(model, {}, stop.signal);
    await upstream.call(1).written(1);
    const askedAt = performance.timeOrigin + performance.now();
    stop.abort(reason);
    expect((await call).error).toBe(reason);
    const { closedAt, written } = await upstream.call(1).closed;
    expect(written).toEqual(['a']);
    expect((closedAt ?? Number.POSITIVE_INFINITY) - askedAt).toBeLessThan(250);
  });

  test('before the first token, and before the call, works as well', async () => {
    upstream.chat.enqueue(answer(['a'], { valve: createValve() }));
    const stop = new AbortController();
    const call = callModel(model, {}, stop.signal);
    await upstream.call(1).received;
    stop.abort(new Error('stopped'));
    expect((await call).error).toBe(stop.signal.reason);
    expect((await upstream.call(1).closed).closedAt).not.toBeNull();
    expect((await callModel(model, {}, stop.signal)).error).toBe(stop.signal.reason);
    expect(upstream.calls).toHaveLength(1);
  });

  test('of the reading closes the connection too', async () => {
    const valve = createValve();
    upstream.chat.enqueue(answer(['a', 'b'], { valve }));
    valve.pass(1);
    for await (const chunk of model.stream(toRequest(), new AbortController().signal)) {
      if (chunk.kind === 'text') break;
    }
    expect((await upstream.call(1).closed).closedAt).not.toBeNull();
  });
});
