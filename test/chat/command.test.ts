// `candor chat` in scripts and pipes, against a whole Candor: the answer on standard output, everything else on standard
// error, and an exit code that says how it ended.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TurnEvent } from '../../src/protocol/events.ts';
import { answer, createValve, refuse, resetAfter } from '../../testing/upstream/upstream.ts';
import { createReplies, type Replies } from '../e2e/replies.ts';
import { startStack, type Stack } from '../stack.ts';
import { startChat } from './chat-process.ts';
import { foreignControl } from './terminal-text.ts';

let stack: Stack;
let replies: Replies;
let access: readonly string[];
beforeAll(async () => {
  stack = await startStack();
  replies = createReplies(stack.upstream);
  access = ['--url', stack.url, '--token', await stack.token()];
});
afterAll(() => stack.close());

const ask = async (question: string, ...more: readonly string[]) =>
  (await startChat([...access, '--message', question, ...more])).ended;

describe('one message', () => {
  test('is answered on standard output, as the model wrote it', async () => {
    replies.to('How?', answer(['# Steps\n\n- **drain**', ' the node\n']));
    const { code, out, err } = await ask('How?');
    expect([code, out]).toEqual([0, '# Steps\n\n- **drain** the node\n']);
    expect(err).toMatch(/wire-model · 1 call · .* tokens · receipt [0-9a-f]{12}/);
  });

  test('comes from standard input when there is no other', async () => {
    replies.to('From\na pipe', answer('Read.'));
    const chat = await startChat(access, 'From\na pipe\n');
    expect(await chat.ended).toMatchObject({ code: 0, out: 'Read.\n' });
  });

  test('R28: text of a failed try never reaches standard output', async () => {
    replies.to('Twice?', resetAfter(['Wrong beginn']), answer('Right.'));
    const { code, out, err } = await ask('Twice?');
    expect([code, out]).toEqual([0, 'Right.\n']);
    expect(err).toMatch(/✗ try 1 of 4 failed: .*\(llm_stream_truncated\)\n {2}discarded: 12 characters of try 1/);
  });

  test('that fails prints no answer and ends with 1', async () => {
    replies.to('Refused?', refuse(401, { error: { message: 'no' } }));
    const { code, out, err } = await ask('Refused?');
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/✗ no answer: .*\(llm_auth\)/);
  });

  test('whose answer is not whole ends with 3', async () => {
    replies.to('Long?', answer('Only hal', { finishReason: 'length' }));
    const { code, out, err } = await ask('Long?');
    expect([code, out]).toEqual([3, 'Only hal\n']);
    expect(err).toContain('! incomplete: the model stopped at its limit of length');
  });

  test('is stopped by Ctrl-C: by whom, what came after, and 130', async () => {
    const valve = createValve();
    replies.to('Stop?', answer(['It goes ', 'on and on'], { valve }));
    const chat = await startChat([...access, '--message', 'Stop?', '--events']);
    await replies.call('Stop?');
    await chat.untilTold(/asked: wire-model/);
    valve.pass(1);
    chat.kill('SIGINT');
    const { code, err } = await chat.ended;
    expect(code).toBe(130);
    expect(err).toMatch(/■ stopped by you · asked at .*/);
  });

  test('what a model says cannot steer the terminal that a pipe ends at', async () => {
    replies.to('Attack?', answer(['a\u001b', ']52;c;ZXZpbA==\u0007b\u009b2J', '\u202ec']));
    const { out } = await ask('Attack?');
    expect(out).toBe('ab‹U+202E›c\n');
    const json = await ask('Attack?', '--json');
    expect(foreignControl(json.out.replaceAll('\n', ''))).toBeNull();
    const events = json.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as TurnEvent);
    const completed = events.find((event) => event.type === 'agent_completed');
    expect(completed?.text).toBe('a\u001b]52;c;ZXZpbA==\u0007b\u009b2J\u202ec');
  });

  test('with --json every event is one line, in order, deltas and the end among them', async () => {
    replies.to('Events?', answer(['One, ', 'two.']));
    const { code, out } = await ask('Events?', '--json');
    expect(code).toBe(0);
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as TurnEvent);
    expect(events.filter((event) => 'seq' in event).map((event) => event.type)).toEqual([
      'turn_accepted',
      'agent_started',
      'agent_thinking',
      'agent_completed',
      'conversation_stored',
      'audit_started',
      'turn_completed',
    ]);
    expect(events.flatMap((event) => (event.type === 'delta' ? event.text : [])).join('')).toBe('One, two.');
  });

  test('goes on with a conversation, by its id and as the last one', async () => {
    replies.to('My name is Ada.', answer('Noted.'));
    const first = await ask('My name is Ada.', '--json');
    const { conversationId } = JSON.parse(first.out.split('\n')[0] ?? '') as TurnEvent;
    const isAsked = (question: string, ...more: readonly string[]): Promise<unknown> => {
      replies.to(question, answer('Ada.'));
      return ask(question, ...more);
    };
    await isAsked('Who am I?', '--conversation', conversationId);
    await isAsked('Who was I?', '--continue');
    for (const question of ['Who am I?', 'Who was I?']) {
      const messages = replies.calls(question)[0]?.body.messages.map(({ content }) => content);
      expect(messages).toContain('My name is Ada.');
    }
  });
});

describe('what cannot be', () => {
  const told = async (args: readonly string[], input = ''): Promise<string> => {
    const { code, out, err } = await (await startChat(args, input)).ended;
    expect([code, out]).toEqual([1, '']);
    return err;
  };

  test('nothing runs here', async () => {
    expect(await told(['--message', 'Hello?'])).toMatch(
      /unable to chat; nothing runs on .*: start Candor with npm start/,
    );
  });

  test('nobody answers at the address', async () => {
    const err = await told(['--url', 'http://127.0.0.1:1', '--token', 'a.b.c', '--message', 'Hello?']);
    expect(err).toContain('unable to ask 127.0.0.1:1; it does not answer');
  });

  test('the token is none', async () => {
    expect(await told(['--url', stack.url, '--token', 'a.b.c', '--message', 'Hello?'])).toContain('(unauthenticated)');
  });

  test('the agent is unknown, the conversation is another’s, the message is empty', async () => {
    expect(await told([...access, 'nobody', '--message', 'Hello?'])).toContain('no agent is called nobody: operator');
    const id = '00000000-0000-4000-8000-000000000000';
    expect(await told([...access, '--conversation', id, '--message', 'Hello?'])).toContain('(conversation_not_found)');
    expect(await told(access, ' \n')).toContain('the message on standard input is empty');
  });

  test('a stale running.json says that nobody answers', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'candor-chat-'));
    await writeFile(join(dataDir, 'running.json'), JSON.stringify({ pid: 1, url: 'http://127.0.0.1:1' }));
    const { code, err } = await (await startChat(['--message', 'Hello?'], '', dataDir)).ended;
    expect([code, err]).toEqual([1, expect.stringContaining('it does not answer: is Candor running there?')]);
    await rm(dataDir, { recursive: true });
  });
});

test('a reader of the pipe that goes away ends the chat without a stack trace', async () => {
  const valve = createValve();
  replies.to('Pipe?', answer(['Some ', 'text'], { valve }));
  const chat = await startChat([...access, '--message', 'Pipe?', '--json']);
  await replies.call('Pipe?');
  chat.stopReading();
  valve.open();
  const { code, err } = await chat.ended;
  expect(code).toBe(141);
  expect(err).not.toContain('at ');
});
