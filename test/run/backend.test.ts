// Which model a start chooses, and the one line that says why.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config.ts';
import { chooseModel } from '../../src/run/backend.ts';
import { createUpstream, type Upstream } from '../../testing/upstream/upstream.ts';

let one: Upstream;
let many: Upstream;
let none: Upstream;
beforeAll(async () => {
  one = await createUpstream({ models: ['only-model'] });
  many = await createUpstream({ models: ['text-embedding-3', 'first-chat', 'second-chat'] });
  none = await createUpstream({ models: ['text-embedding-3'] });
});
afterAll(() => Promise.all([one.close(), many.close(), none.close()]));

const choose = (env: Record<string, string>, asked: string | null = null) =>
  chooseModel(parseConfig(env, null, 'candor.toml'), asked);

describe('the model of a start', () => {
  test('is the one that the environment names', async () => {
    const chosen = await choose({ OPENAI_BASE_URL: many.url, OPENAI_MODEL: 'second-chat', OPENAI_API_KEY: 'k' });
    expect(chosen).toMatchObject({ kind: 'remote', backend: { model: 'second-chat', apiKey: 'k' } });
    expect(chosen.why).toContain('OPENAI_BASE_URL is set');
  });

  test('is the only one that the server offers', async () => {
    const chosen = await choose({ OPENAI_BASE_URL: one.url });
    expect(chosen).toMatchObject({ kind: 'remote', backend: { model: 'only-model' } });
  });

  test('is the first that can chat, and the line says that there were others', async () => {
    const chosen = await choose({ OPENAI_BASE_URL: many.url });
    expect(chosen).toMatchObject({ kind: 'remote', backend: { model: 'first-chat' } });
    expect(chosen.why).toContain('the first of 2');
  });

  test('is the address given by --model, before the environment', async () => {
    const chosen = await choose({ OPENAI_BASE_URL: many.url }, one.url);
    expect(chosen).toMatchObject({ kind: 'remote', backend: { model: 'only-model' } });
  });

  test('is none, or the small one, when that was asked for', async () => {
    expect(await choose({}, 'none')).toMatchObject({ kind: 'none' });
    expect(await choose({}, 'small')).toMatchObject({ kind: 'local', size: 'small' });
  });

  test('is a file of one’s own', async () => {
    expect(await choose({ MODEL_FILE: '/models/mine.gguf' })).toMatchObject({ kind: 'local', alias: 'mine' });
  });

  test.each([
    ['a server that names none', () => choose({ OPENAI_BASE_URL: none.url }), /names none: set OPENAI_MODEL/],
    ['a server that is away', () => choose({ OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }), /check that it runs/],
    ['a vendor with everything on offer', () => choose({ OPENAI_API_KEY: 'k' }), /set OPENAI_MODEL/],
    ['an address that is none', () => choose({}, 'bigger'), /give small, none or an address/],
  ])('cannot be chosen from %s', async (_, chosen, sentence) => {
    await expect(chosen()).rejects.toThrow(sentence);
  });
});
