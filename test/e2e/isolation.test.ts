// Two users with a conversation each: whatever one of them sends with the other's ids, nothing of the other's crosses,
// and nothing of it is seen there.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TurnEvent } from '../../src/protocol/events.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { answerOf, terminalOf } from '../../src/protocol/transcript.ts';
import type { ChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import type { Valve } from '../../testing/upstream/upstream.ts';
import { createReplies, questionOf, type Replies } from './replies.ts';

let stack: Stack;
let replies: Replies;
beforeAll(async () => {
  stack = await startStack();
  replies = createReplies(stack.upstream);
});
afterAll(() => stack.close());

const secret = 'Ada’s own answer';
let ada: ChatClient;
let eve: ChatClient;
let conversationId: ConversationId;
let done: TurnId;
let running: { readonly turnId: TurnId; readonly valve: Valve };

/** Ada has a finished turn and one that runs, and watches her conversation from a second device. */
let watching: ChatClient;
beforeEach(async () => {
  [ada, eve, watching] = await Promise.all([
    stack.connect({ user: 'ada' }),
    stack.connect({ user: 'eve' }),
    stack.connect({ user: 'ada' }),
  ]);
  conversationId = newConversationId();
  done = newTurnId();
  replies.held(questionOf(done), [secret]).open();
  ada.message(done, conversationId, questionOf(done));
  await ada.untilEnd(done);
  const turnId = newTurnId();
  running = { turnId, valve: replies.held(questionOf(turnId), [secret, ' goes on']) };
  running.valve.pass(1);
  ada.message(turnId, conversationId, questionOf(turnId));
  await ada.untilEvent(turnId, 'delta');
  watching.send({ type: 'watch', conversationId });
  await watching.until((frame) => frame.type === 'conversation');
});

const isNoVerdict = ({ type, turnId }: TurnEvent): boolean =>
  turnId !== done || !/^audit_(completed|failed)$/.test(type);

/** Ada's turn ends as if nobody had touched it, and all her other device saw is hers. */
async function expectUntouched(): Promise<void> {
  running.valve.open();
  const here = await ada.untilEnd(running.turnId);
  expect(answerOf(here)).toBe(`${secret} goes on`);
  // It began to watch in the middle of the turn: its events come from there on.
  expect(await watching.untilEvent(running.turnId, 'turn_completed')).toEqual(terminalOf(here));
  // Of the finished turn the verdict may still come.
  const turns = watching.frames.flatMap((frame) => ('turnId' in frame && isNoVerdict(frame) ? [frame.turnId] : []));
  expect(new Set(turns)).toEqual(new Set([running.turnId]));
  const view = (await (await stack.fetch(`/api/conversations/${conversationId}`)).json()) as {
    turns: { turnId: TurnId; state: string }[];
  };
  expect(view.turns).toMatchObject([
    { turnId: done, state: 'completed' },
    { turnId: running.turnId, state: 'completed' },
  ]);
}

/** Nothing that Eve was sent holds a word of Ada's. */
function expectNothingCrossed(): void {
  const seen = JSON.stringify(eve.frames);
  expect(seen).not.toContain(secret);
  expect(seen).not.toContain(questionOf(done));
  expect(seen).not.toContain(questionOf(running.turnId));
}

const codes = (socket: ChatClient): readonly string[] =>
  socket.frames.flatMap((frame) => (frame.type === 'error' ? [frame.error.code] : []));

describe('ids of another user’s', () => {
  test('a message into another’s conversation fails as not found, and nobody there sees it', async () => {
    for (const busy of ['enqueue', 'interrupt', 'reject'] as const) {
      const turnId = newTurnId();
      eve.message(turnId, conversationId, 'What did Ada ask?', busy);
      const transcript = await eve.untilEnd(turnId);
      expect(transcript.log.map((event) => event.type)).toEqual(['turn_accepted', 'agent_failed', 'turn_failed']);
      expect(terminalOf(transcript)).toMatchObject({ error: { code: 'conversation_not_found' } });
    }
    const again = newTurnId();
    const response = await stack.fetch(`/api/conversations/${conversationId}/turns`, {
      user: 'eve',
      method: 'POST',
      headers: { prefer: 'wait' },
      body: JSON.stringify({ turnId: again, text: 'What did Ada ask?' }),
    });
    expect(await response.json()).toMatchObject({ state: 'failed', error: { code: 'conversation_not_found' } });
    await expectUntouched();
    expectNothingCrossed();
    expect(replies.calls('What did Ada ask?')).toHaveLength(0);
  });

  test('resume, cancel and withdraw of another’s turn are not found and change nothing', async () => {
    for (const turnId of [running.turnId, done]) {
      eve.send({ type: 'resume', turnId });
      eve.send({ type: 'resume', turnId, cursor: { seq: 1 } });
      eve.send({ type: 'cancel', turnId });
      eve.send({ type: 'withdraw', turnId });
    }
    const unknown = newTurnId();
    eve.send({ type: 'resume', turnId: unknown });
    await eve.untilError(unknown);
    expect(codes(eve)).toEqual(Array.from({ length: 9 }, () => 'turn_not_found'));
    await expectUntouched();
    expectNothingCrossed();
  });

  test('who watches another’s conversation is told the same as of one that is not there, and nothing more', async () => {
    eve.send({ type: 'watch', conversationId });
    const frame = await eve.until((f) => f.type === 'conversation');
    expect(frame).toEqual({ type: 'conversation', conversationId, turns: [] });
    await expectUntouched();
    const last = newTurnId();
    ada.message(last, conversationId, questionOf(last));
    await ada.untilEnd(last);
    // A frame of Eve's own behind everything that could have come: frames of one socket keep their order.
    const own = newTurnId();
    eve.message(own, newConversationId(), questionOf(own));
    await eve.untilEnd(own);
    const turns = eve.frames.flatMap((f) => ('turnId' in f ? [f.turnId] : []));
    expect(new Set(turns)).toEqual(new Set([own]));
    expectNothingCrossed();
  });

  test('a parent or a turn to regenerate from another’s conversation is not found', async () => {
    const own = newConversationId();
    const first = newTurnId();
    eve.message(first, own, questionOf(first));
    await eve.untilEnd(first);
    for (const stolen of [{ parentTurnId: done }, { regenerateOf: done }]) {
      const turnId = newTurnId();
      eve.send({ type: 'message', turnId, conversationId: own, text: questionOf(turnId), ...stolen });
      expect(terminalOf(await eve.untilEnd(turnId))).toMatchObject({ error: { code: 'turn_not_found' } });
      expect(replies.calls(questionOf(turnId))).toHaveLength(0);
    }
    await expectUntouched();
    expectNothingCrossed();
  });

  test('every route says 404, in the words it has for what is not there', async () => {
    const [noTurn, noConversation] = [newTurnId(), newConversationId()];
    const routes = (turnId: TurnId, conversation: ConversationId): readonly (readonly [string, string, object?])[] => [
      ['GET', `/api/turns/${turnId}`],
      ['GET', `/api/turns/${turnId}/events`],
      ['POST', `/api/turns/${turnId}/cancel`],
      ['POST', `/api/turns/${turnId}/withdraw`],
      ['GET', `/api/conversations/${conversation}`],
      ['PATCH', `/api/conversations/${conversation}`, { title: 'Mine' }],
      ['DELETE', `/api/conversations/${conversation}`],
    ];
    const ask = async ([method, path, body]: readonly [string, string, object?]): Promise<unknown> => {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await stack.fetch(path, { user: 'eve', method, ...json });
      expect(response.status).toBe(404);
      return response.json();
    };
    const unknown = await Promise.all(routes(noTurn, noConversation).map(ask));
    for (const turnId of [running.turnId, done]) {
      expect(await Promise.all(routes(turnId, conversationId).map(ask))).toEqual(unknown);
    }
    const list = (await (await stack.fetch('/api/conversations', { user: 'eve' })).json()) as { items: object[] };
    expect(JSON.stringify(list)).not.toContain(conversationId);
    await expectUntouched();
  });
});

describe('side by side', () => {
  test('two users who stream at once get their own events only', async () => {
    const own = newTurnId();
    const valve = replies.held(questionOf(own), ['Eve’s ', 'own answer']);
    valve.pass(1);
    eve.message(own, newConversationId(), questionOf(own));
    await eve.untilEvent(own, 'delta');
    running.valve.open();
    await ada.untilEnd(running.turnId);
    valve.open();
    expect(answerOf(await eve.untilEnd(own))).toBe('Eve’s own answer');
    const of = (socket: ChatClient) => new Set(socket.frames.flatMap((f) => ('turnId' in f ? [f.turnId] : [])));
    expect(of(eve)).toEqual(new Set([own]));
    expect(of(ada)).toEqual(new Set([done, running.turnId]));
    expectNothingCrossed();
  });

  test('one conversation’s text is in no prompt of another, of the same user either', async () => {
    await expectUntouched();
    for (const socket of [ada, eve]) {
      const turnId = newTurnId();
      socket.message(turnId, newConversationId(), questionOf(turnId));
      await socket.untilEnd(turnId);
      expect(JSON.stringify(replies.calls(questionOf(turnId))[0]?.body)).not.toContain(secret);
    }
  });

  test('a second device of the owner’s sees the turn from its beginning to its end', async () => {
    await expectUntouched();
    const turnId = newTurnId();
    ada.message(turnId, conversationId, questionOf(turnId));
    const here = await ada.untilEnd(turnId);
    expect(await watching.untilEnd(turnId)).toEqual(here);
  });
});
