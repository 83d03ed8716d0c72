// Whatever a client sends that is not right: it is told what was wrong by a typed error, its socket stays usable, and
// nothing starts. On a real socket, with a Temporal that would know of a workflow and a model that would know of a call.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import type { ErrorFrame } from '../../src/protocol/frames.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { maxMessageLength } from '../../src/protocol/limits.ts';
import { answerOf } from '../../src/protocol/transcript.ts';
import type { ChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { answer } from '../../testing/upstream/upstream.ts';
import { countCalls, wasStarted } from './refusals.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** Sends, and gives the error frame that answers it. */
async function refused(socket: ChatClient, frame: string | Uint8Array | object): Promise<ErrorFrame> {
  const before = socket.frames.length;
  socket.sendRaw(typeof frame === 'string' || frame instanceof Uint8Array ? frame : JSON.stringify(frame));
  return (await socket.until((f) => f.type === 'error' && socket.frames.indexOf(f) >= before)) as ErrorFrame;
}

async function ask(socket: ChatClient, text: string, reply: string): Promise<TurnId> {
  const turnId = newTurnId();
  stack.upstream.chat.enqueue(answer(reply));
  socket.message(turnId, newConversationId(), text);
  expect(answerOf(await socket.untilEnd(turnId))).toBe(reply);
  return turnId;
}

interface Row {
  readonly what: string;
  readonly frame: (turnId: TurnId, conversationId: ConversationId) => string | Uint8Array | object;
  readonly code: ErrorCode;
  /** `turn`, `conversation` and `upper` stand for the ids of the row. */
  readonly inReplyTo: string | null;
}

const message = (turnId: string, conversationId: string, text: unknown): object => ({
  type: 'message',
  turnId,
  conversationId,
  text,
});
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const upper = (id: string): string => `A${id.slice(1).toUpperCase()}`;

const rows: readonly Row[] = [
  { what: 'a frame that is not JSON', frame: () => '{"type": "message"', code: 'invalid_request', inReplyTo: null },
  { what: 'an empty frame', frame: () => '', code: 'invalid_request', inReplyTo: null },
  { what: 'JSON that is no object', frame: () => '[1, 2]', code: 'invalid_request', inReplyTo: null },
  { what: 'JSON null', frame: () => 'null', code: 'invalid_request', inReplyTo: null },
  { what: 'an unknown type', frame: () => ({ type: 'dance' }), code: 'invalid_request', inReplyTo: 'dance' },
  {
    what: 'an unknown type with the fields of a message',
    frame: (turnId, conversationId) => ({ type: 'massage', turnId, conversationId, text: 'How do I hold a job?' }),
    code: 'invalid_request',
    inReplyTo: 'turn',
  },
  { what: 'no type', frame: (turnId) => ({ turnId }), code: 'invalid_request', inReplyTo: 'turn' },
  {
    what: 'a message without a text',
    frame: (turnId, conversationId) => ({ type: 'message', turnId, conversationId }),
    code: 'invalid_request',
    inReplyTo: 'turn',
  },
  {
    what: 'a message without a conversation',
    frame: (turnId) => ({ type: 'message', turnId, text: 'How do I hold a job?' }),
    code: 'invalid_request',
    inReplyTo: 'turn',
  },
  {
    what: 'a message without a turn',
    frame: (_, conversationId) => ({ type: 'message', conversationId, text: 'How do I hold a job?' }),
    code: 'invalid_request',
    inReplyTo: 'conversation',
  },
  {
    what: 'a text that is no text',
    frame: (turnId, conversationId) => message(turnId, conversationId, 5),
    code: 'invalid_request',
    inReplyTo: 'turn',
  },
  {
    what: 'an empty text',
    frame: (turnId, conversationId) => message(turnId, conversationId, ''),
    code: 'invalid_request',
    inReplyTo: 'turn',
  },
  {
    what: 'a text of white space only',
    frame: (turnId, conversationId) => message(turnId, conversationId, ' \n\t\u00a0\u2003 '),
    code: 'invalid_request',
    inReplyTo: 'turn',
  },
  {
    what: 'a text over the limit',
    frame: (turnId, conversationId) => message(turnId, conversationId, 'x'.repeat(maxMessageLength + 1)),
    code: 'message_too_long',
    inReplyTo: 'turn',
  },
  {
    what: 'fewer characters than the limit but more UTF-16 units',
    frame: (turnId, conversationId) => message(turnId, conversationId, '🙂'.repeat(maxMessageLength / 2 + 1)),
    code: 'message_too_long',
    inReplyTo: 'turn',
  },
  {
    what: 'an unknown busy mode',
    frame: (turnId, conversationId) => ({ ...message(turnId, conversationId, 'How?'), busy: 'shout' }),
    code: 'invalid_request',
    inReplyTo: 'turn',
  },
  {
    what: 'more attachments than are accepted',
    frame: (turnId, conversationId) => ({
      ...message(turnId, conversationId, 'How?'),
      attachments: Array.from({ length: 9 }, () => ({ name: 'log', mediaType: 'text/plain', text: 'x' })),
    }),
    code: 'invalid_request',
    inReplyTo: 'turn',
  },
  {
    what: 'a turn’s id that is no UUID',
    frame: (_, conversationId) => message('42', conversationId, 'How do I hold a job?'),
    code: 'invalid_request',
    inReplyTo: '42',
  },
  {
    what: 'a turn’s id in upper case',
    frame: (turnId, conversationId) => message(upper(turnId), conversationId, 'How do I hold a job?'),
    code: 'invalid_request',
    inReplyTo: 'upper',
  },
  {
    what: 'a conversation’s id that is no UUID',
    frame: (turnId) => message(turnId, '../etc', 'How do I hold a job?'),
    code: 'invalid_request',
    inReplyTo: 'turn',
  },
  {
    what: 'a parent that is no UUID',
    frame: (turnId, conversationId) => ({ ...message(turnId, conversationId, 'How?'), parentTurnId: 'first' }),
    code: 'invalid_request',
    inReplyTo: 'turn',
  },
  {
    what: 'a watch of something that is no UUID',
    frame: () => ({ type: 'watch', conversationId: 'all' }),
    code: 'invalid_request',
    inReplyTo: 'all',
  },
  {
    what: 'a cursor with a negative place',
    frame: (turnId) => ({ type: 'resume', turnId, cursor: { seq: -1 } }),
    code: 'invalid_request',
    inReplyTo: 'turn',
  },
  {
    what: 'a resume of a turn that nobody knows',
    frame: (turnId) => ({ type: 'resume', turnId }),
    code: 'turn_not_found',
    inReplyTo: 'turn',
  },
  {
    what: 'a cancel of a turn that nobody knows',
    frame: (turnId) => ({ type: 'cancel', turnId }),
    code: 'turn_not_found',
    inReplyTo: 'turn',
  },
  {
    what: 'a withdrawal of a turn that nobody knows',
    frame: (turnId) => ({ type: 'withdraw', turnId }),
    code: 'turn_not_found',
    inReplyTo: 'turn',
  },
  {
    what: 'a fresh token that does not verify',
    frame: () => ({ type: 'auth', token: 'a.b.c' }),
    code: 'unauthenticated',
    inReplyTo: 'auth',
  },
  {
    what: 'a good message in a binary frame',
    frame: (turnId, conversationId) => bytes(message(turnId, conversationId, 'How do I hold a job?')),
    code: 'invalid_request',
    inReplyTo: null,
  },
  {
    what: 'bytes that are no text',
    frame: () => Uint8Array.from([0xff, 0xfe, 0x00]),
    code: 'invalid_request',
    inReplyTo: null,
  },
];

describe('a frame that is not right', () => {
  let socket: ChatClient;
  beforeAll(async () => {
    socket = await stack.connect();
  });

  test.each(rows)(
    '$what: $code, the socket stays usable, nothing started (A13, E2)',
    async ({ frame, code, inReplyTo }) => {
      const [turnId, conversationId] = [newTurnId(), newConversationId()];
      const calls = countCalls(stack);
      const error = await refused(socket, frame(turnId, conversationId));
      const named = { turn: turnId, conversation: conversationId, upper: upper(turnId) }[inReplyTo ?? ''] ?? inReplyTo;
      expect(error.error).toMatchObject({ code, retryable: false });
      expect(error.error.message).not.toContain('unknown');
      expect(error.inReplyTo ?? null).toBe(named);
      expect(await wasStarted(stack, turnId)).toBe(false);
      expect(countCalls(stack)).toBe(calls);
      const good = newTurnId();
      stack.upstream.chat.enqueue(answer('By `conman "hold"`.'));
      socket.message(good, newConversationId(), 'How do I hold a job?');
      await socket.untilEvent(good, 'turn_completed');
    },
  );

  test('a text exactly at the limit is answered', async () => {
    await ask(socket, 'x'.repeat(maxMessageLength), 'Long.');
  });

  test('a cursor from another turn is refused, and the turn can still be read from its start', async () => {
    const reply = 'This one, with many words in it.';
    const long = await ask(socket, 'Which one is long?', reply);
    const short = await ask(socket, 'Which one is short?', 'This.');
    const cursors = [
      { seq: 3, step: 1, attempt: 1, offset: reply.length },
      { seq: 3, step: 2, attempt: 1, offset: 0 },
      { seq: socket.transcript(long).log.length + 1 },
    ];
    for (const cursor of cursors) {
      const error = await refused(socket, { type: 'resume', turnId: short, cursor });
      expect(error).toMatchObject({ error: { code: 'invalid_request' }, inReplyTo: short });
    }
    const another = await stack.connect();
    another.send({ type: 'resume', turnId: short });
    expect(answerOf(await another.untilEnd(short))).toBe('This.');
  });

  test('the same id with another text is a conflict, and the first turn stays as it was', async () => {
    const turnId = await ask(socket, 'How do I hold a job?', 'By `conman "hold"`.');
    const error = await refused(socket, message(turnId, randomUUID(), 'How do I hold a job?'));
    expect(error).toMatchObject({ error: { code: 'turn_conflict' }, inReplyTo: turnId });
    const view = (await (await stack.fetch(`/api/turns/${turnId}`)).json()) as { answer: string };
    expect(view.answer).toBe('By `conman "hold"`.');
  });

  test('a frame larger than any message closes the socket, and nothing started', async () => {
    const eve = await stack.connect({ user: 'eve' });
    const turnId = newTurnId();
    eve.sendRaw(JSON.stringify(message(turnId, newConversationId(), 'x'.repeat(600 * 1024))));
    expect(await eve.closed).toBe(1009);
    expect(await wasStarted(stack, turnId)).toBe(false);
  });
});

describe('an agent that does not exist', () => {
  test.each(['nobody', 'Not%20An%20Id', '..%2F..%2Fetc'])('%s: an error frame, then close 1008', async (agentId) => {
    const calls = countCalls(stack);
    const socket = await stack.connect({ agentId });
    const turnId = newTurnId();
    socket.message(turnId, newConversationId(), 'How do I hold a job?');
    expect((await socket.untilError()).error.code).toBe('agent_not_found');
    expect(await socket.closed).toBe(1008);
    expect(await wasStarted(stack, turnId)).toBe(false);
    expect(countCalls(stack)).toBe(calls);
  });
});
