import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  answer,
  bytesAfter,
  createUpstream,
  createValve,
  endAfter,
  errorAfter,
  hangUp,
  mute,
  refuse,
  resetAfter,
  silentAfter,
  verdict,
  type Upstream,
} from '../../testing/upstream/upstream.ts';
import { upstreamTexts } from '../../testing/upstream-texts.ts';

let upstream: Upstream;
beforeEach(async () => {
  upstream = await createUpstream();
});
afterEach(() => upstream.close());

const ask = (extra: object = {}, signal?: AbortSignal): Promise<Response> =>
  fetch(`${upstream.url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-secret' },
    body: JSON.stringify({
      model: 'wire-model',
      messages: [{ role: 'user', content: 'hi' }],
      stream: true,
      stream_options: { include_usage: true },
      ...extra,
    }),
    ...(signal === undefined ? {} : { signal }),
  });

const events = (sse: string): string[] =>
  sse
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => event.replace('data: ', ''));
const contents = (sse: string): string[] =>
  events(sse)
    .filter((event) => event !== '[DONE]')
    .map((event) => (JSON.parse(event) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content)
    .filter((content): content is string => content !== undefined && content !== '');

describe('the wire server', () => {
  test('streams the chunks it was given, then finish reason, usage and the end', async () => {
    upstream.chat.enqueue(answer(['Hel', 'lo'], { finishReason: 'length' }));
    const sse = await (await ask()).text();
    expect(contents(sse)).toEqual(['Hel', 'lo']);
    const [, , , finish, usage, done] = events(sse);
    expect(finish).toContain('"finish_reason":"length"');
    expect(usage).toContain('"completion_tokens":2');
    expect(done).toBe('[DONE]');
  });

  test('answers with one JSON object when no stream is asked for', async () => {
    upstream.chat.always(answer(['Hel', 'lo']));
    const whole = (await (await ask({ stream: false })).json()) as { choices: { message: { content: string } }[] };
    expect(whole.choices[0]?.message.content).toBe('Hello');
  });

  test('records body, times and chunks, and never a secret', async () => {
    upstream.chat.enqueue(answer(['Hel', 'lo']));
    await (await ask()).text();
    const call = await upstream.call(1).closed;
    expect(call.body.messages).toEqual([{ role: 'user', content: 'hi' }]);
    expect(call.written).toEqual(['Hel', 'lo']);
    expect(call.hadCredentials).toBe(true);
    expect(JSON.stringify(call)).not.toContain('sk-secret');
    expect(call.closedAt).toBeNull();
    expect(call.endedAt).toBeGreaterThanOrEqual(call.receivedAt);
  });

  test('lets chunks pass as the test says and sees the client close the connection', async () => {
    const valve = createValve();
    upstream.chat.enqueue(answer(['a', 'b', 'c'], { valve }));
    const client = new AbortController();
    const next = upstream.nextCall();
    await ask({}, client.signal);
    valve.pass(2);
    expect((await next).n).toBe(1);
    await upstream.call(1).written(2);
    client.abort();
    const call = await upstream.call(1).closed;
    expect(call.written).toEqual(['a', 'b']);
    expect(call.closedAt).not.toBeNull();
    expect(call.endedAt).toBeNull();
  });

  test('knows which replies it finished, and what of the others had left', async () => {
    upstream.chat.enqueue(answer(['a', 'b']), endAfter(['c']), resetAfter(['d']), answer('e'));
    await (await ask()).text();
    await (await ask()).text();
    await expect((await ask()).text()).rejects.toThrow();
    await (await ask({ stream: false })).text();
    await (await ask({ response_format: { type: 'json_object' } })).text();
    expect(upstreamTexts(upstream.calls)).toEqual([
      { text: 'ab', whole: true },
      { text: 'c', whole: false },
      { text: 'd', whole: false },
      { text: 'e', whole: true },
    ]);
  });

  test('keeps the pace', async () => {
    upstream.chat.enqueue(answer(['a', 'b', 'c'], { paceMs: 40 }));
    await (await ask()).text();
    const { writtenAt } = await upstream.call(1).closed;
    expect((writtenAt[2] ?? 0) - (writtenAt[0] ?? 0)).toBeGreaterThanOrEqual(75);
  });

  test('refuses with status, body and headers', async () => {
    upstream.chat.enqueue(refuse(429, { error: { code: 'rate_limit_exceeded' } }, { 'retry-after': '7' }));
    const response = await ask();
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
    expect(await response.json()).toEqual({ error: { code: 'rate_limit_exceeded' } });
  });

  test('breaks the connection after k chunks, and the break is not the client’s', async () => {
    upstream.chat.enqueue(resetAfter(['a', 'b']));
    const response = await ask();
    await expect(response.text()).rejects.toThrow('terminated');
    const call = await upstream.call(1).closed;
    expect([call.written, call.closedAt, call.endedAt]).toEqual([['a', 'b'], null, null]);
  });

  test('hangs up before the answer', async () => {
    upstream.chat.enqueue(hangUp());
    await expect(ask()).rejects.toThrow('fetch failed');
  });

  test.each([
    ['says nothing at all', mute(), false],
    ['sends headers and no token', silentAfter([]), true],
  ])('%s until the client leaves', async (_, behaviour, hasHeaders) => {
    upstream.chat.enqueue(behaviour);
    const client = new AbortController();
    const asked = ask({}, client.signal).then(
      () => true,
      () => false,
    );
    if (hasHeaders) await asked;
    await upstream.call(1).received;
    client.abort();
    expect(await asked).toBe(hasHeaders);
    expect((await upstream.call(1).closed).closedAt).not.toBeNull();
  });

  test('ends without a finish reason, with an error object, or with raw bytes', async () => {
    upstream.chat.enqueue(
      endAfter(['a']),
      errorAfter(['a'], { type: 'server_error' }),
      bytesAfter(['a'], new TextEncoder().encode('data: {oops\n\n')),
    );
    const first = await (await ask()).text();
    expect(first).not.toContain('"stop"');
    expect(await (await ask()).text()).toContain('data: {"error":{"type":"server_error"}}');
    expect(await (await ask()).text()).toContain('data: {oops');
  });

  test('scripts by model, by response format, and by the n-th call', async () => {
    upstream.chat.always((nth) => (nth % 3 === 0 ? answer('third') : refuse(503)));
    upstream.chat.onCall(1, answer('first'));
    upstream.model('other').always(answer('from the other'));
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask()).status);
    expect(statuses).toEqual([200, 503, 200]);
    expect(await (await ask({ model: 'other' })).text()).toContain('from the other');
    const schema = { response_format: { type: 'json_schema' } };
    expect(await (await ask(schema)).text()).toContain('isIncorrect');
    upstream.audit.enqueue(verdict(true, 0.9));
    expect(await (await ask(schema)).text()).toContain('0.9');
    expect(upstream.calls.map((c) => [c.n, c.nth, c.isJson])).toEqual([
      [1, 1, false],
      [2, 2, false],
      [3, 3, false],
      [4, 1, false],
      [5, 1, true],
      [6, 2, true],
    ]);
  });

  test('says so when a call was not scripted', async () => {
    const response = await ask();
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('unscripted');
  });

  test('lists its models', async () => {
    expect(await (await fetch(`${upstream.url}/models`)).text()).toContain('wire-model');
  });
});
