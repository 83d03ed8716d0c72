import { afterEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import type { EngineState } from '../../../src/parts/model-server/chat-engine.ts';
import { createModelServer } from '../../../src/parts/model-server/server.ts';
import { createFakeEngine, type FakeEngineOptions } from './fake-engine.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(state: () => EngineState): Promise<{ url: string; client: OpenAI; logged: string[] }> {
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  const app = createModelServer({
    alias: 'local',
    otherNames: ['file.gguf', 'file'],
    state,
    nowMs: () => 1_000_000,
    log,
  });
  closers.push(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, logged, client: new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 }) };
}

async function startWith(options: FakeEngineOptions) {
  const engine = createFakeEngine(options);
  return { engine, ...(await start(() => ({ status: 'ready', engine }))) };
}

const ask = { model: 'local', messages: [{ role: 'user' as const, content: 'Hi' }] };
const weather = { type: 'function' as const, function: { name: 'get_weather', parameters: { type: 'object' } } };
const endless = (): Promise<void> => new Promise(() => undefined);
const health = async (url: string): Promise<unknown> => (await fetch(`${url}/health`)).json();

describe('an answer', () => {
  test('comes whole with its true usage', async () => {
    const { client } = await startWith({ tokens: ['Hel', 'lo'] });
    const answer = await client.chat.completions.create(ask);
    expect(answer).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f-]{36}$/),
      object: 'chat.completion',
      created: 1000,
      model: 'local',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    });
    const promptTokens = answer.usage?.prompt_tokens ?? 0;
    expect(promptTokens).toBeGreaterThan(0);
    expect(answer.usage).toMatchObject({
      completion_tokens: 2,
      total_tokens: promptTokens + 2,
      prompt_tokens_details: { cached_tokens: 2 },
    });
    expect(answer._request_id).toMatch(/^req_/);
  });

  test('streams token by token, with usage last when it is asked for', async () => {
    const { client } = await startWith({ tokens: ['a', 'b', 'c'] });
    const chunks = [];
    const stream = await client.chat.completions.create({
      ...ask,
      stream: true,
      max_tokens: 2,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content)).toEqual(['', 'a', 'b', undefined, undefined]);
    expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason)).toEqual([null, null, null, 'length', undefined]);
    expect(chunks.map((chunk) => chunk.usage?.completion_tokens)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      2,
    ]);
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
  });

  test('ends its stream with [DONE]', async () => {
    const { url } = await startWith({ tokens: ['a'] });
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...ask, stream: true }),
    });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(await response.text()).toMatch(/data: \[DONE\]\n\n$/);
  });

  test('ends before a stop string', async () => {
    const { client } = await startWith({ tokens: ['one ', 'two ST', 'OP three'] });
    const answer = await client.chat.completions.create({ ...ask, stop: 'STOP' });
    expect(answer.choices[0]).toMatchObject({ message: { content: 'one two ' }, finish_reason: 'stop' });
  });

  test.each([true, false])('carries tool calls (stream: %s)', async (stream) => {
    const tokens = ['<tool_call>', '\n{"name": "get_weather", ', '"arguments": {"city": "Rome"}}\n', '</tool_call>'];
    const { client } = await startWith({ tokens });
    const final = await (stream
      ? client.chat.completions.stream({ ...ask, tools: [weather] }).finalChatCompletion()
      : client.chat.completions.create({ ...ask, tools: [weather] }));
    expect(final.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: null,
        tool_calls: [
          {
            id: expect.stringMatching(/^call_/),
            type: 'function',
            function: { name: 'get_weather', arguments: '{"city":"Rome"}' },
          },
        ],
      },
    });
  });

  test('that fails half-way says so in the stream, without [DONE] and without the cause', async () => {
    const beforeToken = (index: number): Promise<void> =>
      index === 1 ? Promise.reject(new Error('secret cause')) : Promise.resolve();
    const { client, logged } = await startWith({ tokens: ['a', 'b'], beforeToken });
    let text = '';
    const reading = (async () => {
      const stream = await client.chat.completions.create({ ...ask, stream: true });
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    })();
    await expect(reading).rejects.toMatchObject({ type: 'server_error', code: 'internal_error' });
    expect(text).toBe('a');
    expect(logged.join()).toContain('secret cause');
  });
});

describe('a refusal', () => {
  test('while the model loads is 503 with a time to come back, and health shows the progress', async () => {
    const { url, client } = await start(() => ({ status: 'loading', progress: 0.42 }));
    await expect(client.chat.completions.create(ask)).rejects.toMatchObject({
      status: 503,
      code: 'model_loading',
      type: 'server_error',
    });
    const response = await fetch(`${url}/v1/models`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await health(url)).toEqual({ status: 'loading', model: 'local', progress: 0.42 });
  });

  test('after a failed load is 503 with the reason', async () => {
    const { url, client } = await start(() => ({ status: 'failed', error: 'no such file' }));
    await expect(client.models.list()).rejects.toMatchObject({ status: 503, code: 'model_failed' });
    expect(await health(url)).toEqual({ status: 'failed', model: 'local', error: 'no such file' });
  });

  test('of a prompt that is too long has the code that clients look for', async () => {
    const { client, engine } = await startWith({ tokens: [] });
    const long = { ...ask, messages: [{ role: 'user' as const, content: 'word '.repeat(200) }] };
    await expect(client.chat.completions.create(long)).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      type: 'invalid_request_error',
      param: 'messages',
    });
    expect(engine.requests).toEqual([]);
  });

  test('of another model is 404; the file name is a name too', async () => {
    const { client } = await startWith({ tokens: ['a'] });
    await expect(client.chat.completions.create({ ...ask, model: 'gpt-9' })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
    expect((await client.chat.completions.create({ ...ask, model: 'file.gguf' })).model).toBe('local');
    expect((await client.models.list()).data.map((model) => model.id)).toEqual(['local']);
  });

  test.each([
    ['broken JSON', '/v1/chat/completions', '{', 'application/json', 400],
    ['a wrong field', '/v1/chat/completions', '{"model": 1}', 'application/json', 400],
    ['another media type', '/v1/chat/completions', 'a=b', 'application/x-www-form-urlencoded', 415],
    ['a body too big', '/v1/chat/completions', `"${'x'.repeat(5_000_000)}"`, 'application/json', 413],
    ['an unknown route', '/v1/completions', '{}', 'application/json', 404],
  ])('of %s has the shape of every refusal', async (_, path, body, type, status) => {
    const { url } = await startWith({ tokens: [] });
    const response = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      error: { message: expect.any(String), type: 'invalid_request_error' },
    });
  });

  test('of one too many is 429 with a time to come back, and health shows the queue', async () => {
    const { url, client } = await startWith({ tokens: ['a'], beforeToken: endless });
    const controller = new AbortController();
    const occupied = [1, 2].map(() => client.chat.completions.create(ask, { signal: controller.signal }));
    const ended = Promise.allSettled(occupied);
    while (!isFull(await health(url)));
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ask),
    });
    expect(response.status).toBe(429);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' } });
    controller.abort();
    await ended;
  });
});

describe('a client that hangs up', () => {
  test.each([true, false])('stops its generation and frees the sequence (stream: %s)', async (stream) => {
    let reached = (): void => undefined;
    const generating = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const beforeToken = (index: number): Promise<void> => {
      if (index === 0) return Promise.resolve();
      reached();
      return endless();
    };
    const { url, client, engine } = await startWith({ tokens: ['a', 'b'], beforeToken });
    const controller = new AbortController();
    const request = (async () => {
      const answer = await client.chat.completions.create({ ...ask, stream }, { signal: controller.signal });
      if ('choices' in answer) return;
      for await (const chunk of answer) expect(chunk.object).toBe('chat.completion.chunk');
    })();
    const settled = Promise.allSettled([request]);
    await generating;
    controller.abort();
    await engine.aborted;
    await settled;
    expect(await health(url)).toMatchObject({ active: 0, queued: 0 });
  });

  test('leaves the queue', async () => {
    const { url, client } = await startWith({ tokens: ['a'], beforeToken: endless });
    const controller = new AbortController();
    const both = Promise.allSettled(
      [1, 2].map(() => client.chat.completions.create(ask, { signal: controller.signal })),
    );
    while (!isFull(await health(url)));
    controller.abort();
    await both;
    while (isFull(await health(url)));
    while (((await health(url)) as { active: number }).active > 0);
    expect(await health(url)).toMatchObject({ active: 0, queued: 0 });
  });
});

function isFull(body: unknown): boolean {
  return (body as { queued: number }).queued === 1;
}
