// `npm start` in a process of its own: what it prints, whom it lets in, what it leaves behind. The starts build on each
// other, as a person's do: the second continues what the first one began, the third cleans up after a killed one.

import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { RunningFile } from '../../src/run/data-folder.ts';
import { terminalOf, answerOf } from '../../src/protocol/transcript.ts';
import { createChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId } from '../stack.ts';
import { answer, createUpstream, type Upstream } from '../../testing/upstream/upstream.ts';
import {
  childrenOf,
  createHome,
  isAlive,
  launch,
  run,
  untilFile,
  type ChildOfStart,
  type Home,
  type Launched,
} from './launch.ts';

jest.setTimeout(120_000);

let upstream: Upstream;
let home: Home;
let launched: Launched | null = null;
const begin = (args: readonly string[], env: Record<string, string> = {}): Launched =>
  (launched = launch(home, args, env));

beforeAll(async () => {
  upstream = await createUpstream();
  home = await createHome();
});
afterAll(async () => {
  if (launched !== null) {
    launched.kill('SIGTERM');
    await launched.exited;
  }
  await home.remove();
  await upstream.close();
});

const codePattern = /Candor +(http:\/\/127\.0\.0\.1:\d+)\/#code=([\w-]+)/;
const alive = (children: readonly ChildOfStart[]): readonly ChildOfStart[] =>
  children.filter(({ pid }) => isAlive(pid));

async function signIn(running: Launched): Promise<{ readonly url: string; readonly token: string }> {
  const [, url = '', code = ''] = await running.until(codePattern);
  const response = await exchange(url, code);
  expect(response.status).toBe(200);
  const { token, user } = (await response.json()) as { token: string; user: string };
  expect(user).toBe('local');
  return { url, token };
}

const exchange = (url: string, code: string): Promise<Response> =>
  fetch(`${url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });

const conversationId = newConversationId();

describe('npm start, again and again on the same data', () => {
  test('prints the page and Temporal UI, lets the code in once, answers, and stops on Ctrl-C', async () => {
    const first = begin(['start'], { OPENAI_BASE_URL: upstream.url });
    const { url, token } = await signIn(first);
    const code = codePattern.exec(first.output)?.[2] ?? '';
    expect(url).toBe(`http://127.0.0.1:${home.env['PORT']}`);
    expect((await exchange(url, code)).status).toBe(401);
    expect((await exchange(url, 'never-issued')).status).toBe(401);

    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const [, ui = ''] = await first.until(/Temporal UI +(http:\S+)/);
    expect((await fetch(ui)).status).toBe(200);
    expect(first.output).toContain('model: wire-model');
    expect(first.output).not.toMatch(/deprecat|warning|\bat .*\.ts:\d/i);

    const file = await untilFile(home, 'running.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const running = JSON.parse(await readFile(file, 'utf8')) as RunningFile;
    expect(running).toEqual({
      pid: first.pid,
      url,
      temporal: { address: `127.0.0.1:${home.env['TEMPORAL_PORT']}`, ui, namespace: 'default' },
      neo4j: {
        uri: `bolt://127.0.0.1:${home.env['NEO4J_PORT']}`,
        user: 'neo4j',
        password: expect.stringMatching(/^\S{16,}$/),
      },
      model: { baseUrl: upstream.url, model: 'wire-model', state: 'ready' },
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });

    upstream.chat.enqueue(answer('By `conman "rerun"` [RB-001].'));
    const socket = await createChatClient({ url, agentId: 'operator', token });
    const turnId = newTurnId();
    socket.message(turnId, conversationId, 'How do I restart a job in TWS?');
    const transcript = await socket.untilEnd(turnId);
    expect(answerOf(transcript)).toBe('By `conman "rerun"` [RB-001].');
    expect(JSON.stringify(upstream.calls[0]?.body.messages)).toContain('RB-001');
    socket.close();

    const second = await run(home, ['start', '--model', 'none']);
    expect(second).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^unable to start; Candor already runs on /),
    });
    expect(second.output.trim().split('\n')).toHaveLength(1);
    const minted = await run(home, ['token', '--user', 'eve']);
    const asEve = { headers: { authorization: `Bearer ${minted.output.trim()}` } };
    expect((await fetch(`${url}/api/agents`, asEve)).status).toBe(200);
    expect((await fetch(`${url}/api/conversations/${conversationId}`, asEve)).status).toBe(404);

    const children = await childrenOf(home);
    expect(children.map((child) => child.name).sort()).toEqual(['neo4j', 'temporal']);
    // In a terminal npm passes Ctrl-C on to a child that has had it already.
    first.kill('SIGINT');
    await first.until(/stopping/);
    first.kill('SIGINT');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(alive(children)).toEqual([]);
    await expect(stat(file)).rejects.toThrow('ENOENT');
    await expect(fetch(url)).rejects.toThrow();
  });

  test('a second start goes on with the old conversation, its exchange in the next prompt', async () => {
    const second = begin(['start'], { OPENAI_BASE_URL: upstream.url });
    const { url, token } = await signIn(second);
    const headers = { authorization: `Bearer ${token}` };
    const path = `${url}/api/conversations/${conversationId}`;
    const before = (await (await fetch(path, { headers })).json()) as { turns: { answer: string }[] };
    expect(before.turns.map((turn) => turn.answer)).toEqual(['By `conman "rerun"` [RB-001].']);

    upstream.chat.enqueue(answer('As said before.'));
    const socket = await createChatClient({ url, agentId: 'operator', token });
    const turnId = newTurnId();
    socket.message(turnId, conversationId, 'And the short form?');
    await socket.untilEnd(turnId);
    const asked = upstream.calls.filter((call) => !call.isJson).at(-1)?.body.messages;
    expect(asked?.at(-1)).toEqual({ role: 'user', content: 'And the short form?' });
    expect(asked).toContainEqual({ role: 'user', content: 'How do I restart a job in TWS?' });
    expect(asked).toContainEqual({ role: 'assistant', content: 'By `conman "rerun"` [RB-001].' });
    socket.close();
  });

  test('what a killed start left running is gone after the next one, which takes any port and has no model: it says so', async () => {
    const children = await childrenOf(home);
    expect(children).toHaveLength(2);
    launched?.kill('SIGKILL');
    expect((await launched?.exited)?.signal).toBe('SIGKILL');
    const third = begin(['start', '--model', 'none'], { PORT: '0' });
    const { url, token } = await signIn(third);
    expect(url).not.toBe(`http://127.0.0.1:${home.env['PORT']}`);
    expect(alive(children)).toEqual([]);

    const socket = await createChatClient({ url, agentId: 'operator', token });
    const turnId = newTurnId();
    socket.message(turnId, conversationId, 'Is anybody there?');
    const transcript = await socket.untilEnd(turnId);
    expect(terminalOf(transcript)).toMatchObject({ type: 'turn_failed', error: { code: 'llm_unavailable' } });
    socket.close();

    const own = await childrenOf(home);
    third.kill('SIGTERM');
    expect(await third.exited).toEqual({ code: 0, signal: null });
    expect(alive(own)).toEqual([]);
  });

  test('a hang-up in the middle of the start leaves nothing running', async () => {
    const fourth = begin(['start', '--model', 'none']);
    await untilFile(home, 'children.json');
    const children = await childrenOf(home);
    expect(children.length).toBeGreaterThan(0);
    fourth.kill('SIGHUP');
    expect(await fourth.exited).toEqual({ code: 0, signal: null });
    expect(fourth.output).not.toMatch(codePattern);
    expect(alive(children)).toEqual([]);
    expect(await childrenOf(home)).toEqual([]);
    await expect(stat(join(home.dataDir, 'lock.json'))).rejects.toThrow('ENOENT');
  });
});

describe('a start that cannot be: one sentence, exit code 1, nothing left running', () => {
  let other: Home;
  let server: Server | null = null;
  beforeAll(async () => {
    other = await createHome();
  });
  afterEach(async () => {
    expect(await childrenOf(other)).toEqual([]);
    server?.close();
    server = null;
  });
  afterAll(() => other.remove());

  /** The last line; whatever comes before it only says what was chosen. */
  async function refusal(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const { code, output } = await run(other, args, env);
    expect(code).toBe(1);
    expect(output).not.toMatch(/\n +at /);
    return output.trim().split('\n').at(-1) ?? '';
  }

  async function occupy(name: string): Promise<void> {
    server = createServer().listen(Number(other.env[name]), '127.0.0.1');
    await once(server, 'listening');
  }

  test.each(['PORT', 'TEMPORAL_PORT', 'NEO4J_PORT'])('the port that %s asks for is taken', async (name) => {
    await occupy(name);
    const said = await refusal(['start', '--model', 'none']);
    expect(said).toMatch(
      new RegExp(`^unable to start .*; port ${other.env[name]}, asked for by ${name}, is taken on 127\\.0\\.0\\.1; `),
    );
  });

  test('candor.toml is broken: the sentence names the line', async () => {
    const file = join(other.cwd, 'candor.toml');
    await writeFile(file, '[gateway]\nport = 3000\nhots = "127.0.0.1"\n');
    expect(await refusal(['start', '--model', 'none'])).toContain(`${file} line 3: unknown key «gateway.hots»`);
    await writeFile(file, '[gateway]\nport = = 3\n');
    expect(await refusal(['start', '--model', 'none'])).toContain(`${file} line 2`);
    await writeFile(file, '');
  });

  test('a host that others can reach, without an issuer or a secret', async () => {
    const said = await refusal(['start', '--model', 'none'], { HOST: '0.0.0.0' });
    expect(said).toMatch(/^unable to listen on 0\.0\.0\.0; .*CANDOR_JWT_SECRET/);
  });

  test('the Temporal that TEMPORAL_ADDRESS names is away', async () => {
    const {
      CANDOR_TEST_NEO4J_URI: uri = '',
      CANDOR_TEST_NEO4J_USER: user = '',
      CANDOR_TEST_NEO4J_PASSWORD: password = '',
    } = process.env;
    const neo4j = { NEO4J_URI: uri, NEO4J_USER: user, NEO4J_PASSWORD: password };
    const address = `127.0.0.1:${other.env['TEMPORAL_PORT']}`;
    const said = await refusal(['start', '--model', 'none'], { ...neo4j, TEMPORAL_ADDRESS: address });
    expect(said).toMatch(new RegExp(`^unable to reach Temporal at ${address}; .*TEMPORAL_ADDRESS`));
  });

  test('the Neo4j that NEO4J_URI names is away', async () => {
    const { CANDOR_TEST_TEMPORAL_ADDRESS: address = '' } = process.env;
    const uri = `bolt://127.0.0.1:${other.env['NEO4J_PORT']}`;
    const env = { TEMPORAL_ADDRESS: address, NEO4J_URI: uri, NEO4J_PASSWORD: 'none' };
    expect(await refusal(['start', '--model', 'none'], env)).toMatch(/conversation store .*NEO4J_URI/);
  });

  test('candor config masks what is secret', async () => {
    const env = { OPENAI_API_KEY: 'sk-0123456789abcdef', CANDOR_JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes' };
    const { code, output } = await run(other, ['config'], env);
    expect(code).toBe(0);
    expect(output).toContain('model.apiKey = sk-0…cdef  # OPENAI_API_KEY');
    expect(output).not.toContain('456789ab');
    expect(output).not.toContain('of-more-than');
    expect(output).toContain(`paths.data = ${other.dataDir}  # CANDOR_DATA_DIR`);
  });
});
