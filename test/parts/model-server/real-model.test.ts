/**
 * The server with a real model, through the client that Candor uses. It needs what a clean clone may not have, so it
 * says in its title why it is skipped.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import OpenAI from 'openai';

const { CANDOR_TEST_MODEL, MODEL_FILE, CANDOR_LLAMA_DIR } = process.env;
const missing = [
  CANDOR_TEST_MODEL === '1' ? '' : 'CANDOR_TEST_MODEL is not 1',
  MODEL_FILE === undefined ? 'MODEL_FILE is not set' : '',
  CANDOR_LLAMA_DIR === undefined ? 'CANDOR_LLAMA_DIR is not set' : '',
].filter((reason) => reason !== '');
const suite = missing.length === 0 ? describe : describe.skip;

let child: ChildProcess;
let url: string;
let client: OpenAI;

const ask = (content: string) => ({ model: 'local', messages: [{ role: 'user' as const, content }], temperature: 0 });
const verdictSchema = {
  type: 'object',
  properties: {
    isIncorrect: { type: 'boolean' },
    confidence: { type: 'number', minimum: 0, maximum: 1 },
    reason: { type: 'string', maxLength: 120 },
  },
  required: ['isIncorrect', 'confidence', 'reason'],
  additionalProperties: false,
};
const restart = {
  type: 'function' as const,
  function: {
    name: 'restart_job',
    description: 'Restart a job of the scheduler',
    parameters: {
      type: 'object',
      properties: { job: { type: 'string', maxLength: 40 }, force: { type: 'boolean' } },
      required: ['job'],
      additionalProperties: false,
    },
  },
};

suite(missing.length === 0 ? 'a real model' : `a real model (skipped: ${missing.join(', ')})`, () => {
  beforeAll(async () => {
    const flags = ['--model', MODEL_FILE ?? '', '--port', '0', '--alias', 'local', '--llama', CANDOR_LLAMA_DIR ?? ''];
    const entry = path.resolve('src/parts/model-server/main.ts');
    const args = ['--import', 'tsx', entry, ...flags, '--context', '2048', '--queue', '4'];
    child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (child.stdout === null) throw new Error('the server has no output');
    const lines = createInterface({ input: child.stdout });
    const [first] = (await once(lines, 'line')) as [string];
    url = (JSON.parse(first) as { listening: string }).listening;
    const loading = (await (await fetch(`${url}/health`)).json()) as { status: string };
    expect(loading.status).toBe('loading');
    const [ready] = (await once(lines, 'line')) as [string];
    expect(JSON.parse(ready)).toEqual({ ready: 'local', contextTokens: 2048 });
    client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, timeout: 300_000 });
  }, 180_000);

  afterAll(async () => {
    if (child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  });

  test('streams, and its usage is that of the same answer given whole', async () => {
    const question = { ...ask('Say hello in one short sentence.'), max_tokens: 24 };
    const whole = await client.chat.completions.create(question);
    let text = '';
    let usage: OpenAI.CompletionUsage | null | undefined;
    const stream = await client.chat.completions.create({
      ...question,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage;
    }
    expect(text).toBe(whole.choices[0]?.message.content);
    expect(text).not.toBe('');
    expect(usage?.prompt_tokens).toBe(whole.usage?.prompt_tokens);
    expect(usage?.completion_tokens).toBe(whole.usage?.completion_tokens);
    // The prompt was still in memory, all but its last token.
    expect(usage?.prompt_tokens_details?.cached_tokens).toBe((usage?.prompt_tokens ?? 0) - 1);
  }, 300_000);

  test('obeys a schema', async () => {
    const answer = await client.chat.completions.create({
      ...ask('Question: What is the capital of France? Answer: Berlin. Is the answer incorrect?'),
      max_tokens: 200,
      response_format: { type: 'json_schema', json_schema: { name: 'verdict', schema: verdictSchema } },
    });
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    const verdict = JSON.parse(answer.choices[0]?.message.content ?? '') as Record<string, unknown>;
    expect(Object.keys(verdict)).toEqual(['isIncorrect', 'confidence', 'reason']);
    expect(verdict['confidence']).toBeGreaterThanOrEqual(0);
    expect(verdict['confidence']).toBeLessThanOrEqual(1);
  }, 300_000);

  test.each([
    ['a choice', { enum: ['a"b', 'c\\d', 3, null] }],
    ['a short array', { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 1 }],
    ['a bounded array', { type: 'array', items: { type: 'boolean' }, minItems: 2, maxItems: 3 }],
    ['optional members', { type: 'object', properties: { a: { type: 'null' }, b: { const: 'x' } } }],
    ['no members', { type: 'object', properties: {}, additionalProperties: false }],
    [
      'a reference',
      {
        $ref: '#/$defs/n',
        $defs: { n: { anyOf: [{ type: 'null' }, { type: 'array', items: { $ref: '#/$defs/n' }, maxItems: 2 }] } },
      },
    ],
    ['bounded text', { type: 'string', minLength: 2, maxLength: 5 }],
  ])(
    'has a grammar for %s',
    async (_, schema) => {
      const answer = await client.chat.completions.create({
        ...ask('Give any value.'),
        max_tokens: 60,
        response_format: { type: 'json_schema', json_schema: { name: 'value', schema } },
      });
      const [choice] = answer.choices;
      if (choice?.finish_reason === 'stop') JSON.parse(choice.message.content ?? '');
      expect(choice?.message.content).not.toBe('');
    },
    300_000,
  );

  test.each([
    ['auto', 'Please restart the job PAYROLL_7.', 'auto' as const],
    ['required', 'PAYROLL_7', 'required' as const],
    ['named', 'PAYROLL_7', { type: 'function' as const, function: { name: 'restart_job' } }],
  ])(
    'calls tools (%s)',
    async (_, question, tool_choice) => {
      const answer = await client.chat.completions.create({
        ...ask(question),
        tools: [restart],
        tool_choice,
        max_tokens: 100,
      });
      expect(answer.choices[0]?.finish_reason).toBe('tool_calls');
      const [call] = answer.choices[0]?.message.tool_calls ?? [];
      if (call?.type !== 'function') throw new Error('no call');
      expect(call.function.name).toBe('restart_job');
      expect(JSON.parse(call.function.arguments)).toMatchObject({ job: expect.any(String) });
    },
    300_000,
  );

  test('refuses a prompt that is too long, and keeps control tokens in a text as text', async () => {
    await expect(client.chat.completions.create(ask('job '.repeat(3000)))).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
    const usageOf = async (text: string): Promise<number> =>
      (await client.chat.completions.create({ ...ask(text), max_tokens: 1 })).usage?.prompt_tokens ?? 0;
    expect(await usageOf('a<|im_end|>b')).toBeGreaterThan((await usageOf('a b')) + 2);
  }, 300_000);

  test('stops at once when the client hangs up, and the sequence is free again', async () => {
    const stream = await client.chat.completions.create({ ...ask('Count from 1 to 1000.'), stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) break;
    }
    const startedMs = performance.now();
    for (;;) {
      const health = (await (await fetch(`${url}/health`)).json()) as { active: number };
      if (health.active === 0) break;
    }
    expect(performance.now() - startedMs).toBeLessThan(3000);
  }, 300_000);

  test('serves two at once, each with its own answer', async () => {
    const words = ['apple', 'river'];
    const answers = await Promise.all(
      words.map((word) => client.chat.completions.create({ ...ask(`Repeat this word: ${word}`), max_tokens: 12 })),
    );
    answers.forEach((answer, index) => {
      const text = answer.choices[0]?.message.content?.toLowerCase() ?? '';
      expect(text).toContain(words[index]);
      expect(text).not.toContain(words[1 - index]);
    });
  }, 300_000);

  test('never sends half a character', async () => {
    const sample = '日本語 😀🏳️‍🌈 čeština';
    const stream = await client.chat.completions.create({
      ...ask(`Repeat exactly: ${sample}`),
      stream: true,
      max_tokens: 60,
    });
    let text = '';
    for await (const chunk of stream) {
      const piece = chunk.choices[0]?.delta.content ?? '';
      expect(piece).toBe(Buffer.from(piece).toString());
      expect(piece).not.toContain('\uFFFD');
      text += piece;
    }
    // Which emoji is the model's choice; each of them takes several tokens.
    expect(text).toMatch(/日本語 \p{Extended_Pictographic}/u);
  }, 300_000);
});
