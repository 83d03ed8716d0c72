// A stop that races: with the retry of a failed call, with the answer's end, with a second stop from another device. One
// terminal event each time, and the conversation's next message is answered.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isTerminal, type TurnEvent } from '../../src/protocol/events.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { answerOf, terminalOf, type Transcript } from '../../src/protocol/transcript.ts';
import { answer, refuse } from '../../testing/upstream/upstream.ts';
import type { ChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { answerTo, createReplies, questionOf, type Replies } from './replies.ts';

let stack: Stack;
let replies: Replies;
let ada: ChatClient;
let phone: ChatClient;
beforeAll(async () => {
  stack = await startStack();
  replies = createReplies(stack.upstream);
  [ada, phone] = await Promise.all([stack.connect(), stack.connect()]);
});
afterAll(() => stack.close());

const chunks = ['The job ', 'is restarted ', 'by conman.'];

function say(conversationId: ConversationId, turnId = newTurnId()): TurnId {
  ada.message(turnId, conversationId, questionOf(turnId));
  return turnId;
}
/** The one that the turn ended with; a second one would be another event. */
function expectOneEnd(transcript: Transcript, events: readonly TurnEvent[]): TurnEvent {
  const ends = events.filter(isTerminal);
  expect(new Set(ends.map((e) => JSON.stringify(e))).size).toBe(1);
  expect(ends[0]).toEqual(terminalOf(transcript));
  return ends[0] as TurnEvent;
}
async function expectNextIsAnswered(conversationId: ConversationId): Promise<void> {
  const next = say(conversationId);
  const transcript = await ada.untilEnd(next);
  expect(terminalOf(transcript)?.type).toBe('turn_completed');
  expect(answerOf(transcript)).toBe(answerTo(questionOf(next)));
}
/** What the model's server, the store and the screen have of a stopped turn is the same text. */
async function expectSameText(turnId: TurnId, shown: string): Promise<void> {
  const stored = (await (await stack.fetch(`/api/turns/${turnId}`)).json()) as { state: string; answer: string | null };
  expect(stored).toMatchObject({ state: 'cancelled', answer: shown === '' ? null : shown });
}

describe('a stop', () => {
  test('during the wait before the next try ends the wait, and the model is not called again', async () => {
    const [conversationId, turnId] = [newConversationId(), newTurnId()];
    replies.to(questionOf(turnId), refuse(503, undefined, { 'retry-after': '20' }), answer(chunks));
    say(conversationId, turnId);
    await ada.untilEvent(turnId, 'attempt_failed');
    ada.send({ type: 'cancel', turnId });
    const transcript = await ada.untilEnd(turnId);
    expect(expectOneEnd(transcript, ada.events(turnId))).toMatchObject({
      type: 'turn_cancelled',
      by: 'user',
      upstreamClosedAt: null,
      charsAfterStop: null,
    });
    expect(answerOf(transcript)).toBe('');
    await expectNextIsAnswered(conversationId);
    expect(replies.calls(questionOf(turnId))).toHaveLength(1);
  });

  test('that meets the next try as it begins ends that, and withdraws nothing that it showed', async () => {
    const [conversationId, turnId] = [newConversationId(), newTurnId()];
    const held = replies.held(questionOf(turnId), chunks);
    const script = answer(chunks, { valve: held });
    replies.to(questionOf(turnId), refuse(503), script);
    say(conversationId, turnId);
    await ada.until((f) => f.type === 'agent_thinking' && f.turnId === turnId && f.attempt === 2);
    ada.send({ type: 'cancel', turnId });
    held.pass(1);
    const transcript = await ada.untilEnd(turnId);
    expectOneEnd(transcript, ada.events(turnId));
    expect(terminalOf(transcript)?.type).toBe('turn_cancelled');
    await expectSameText(turnId, answerOf(transcript));
    await expectNextIsAnswered(conversationId);
  });

  test.each([0, 1, 2, 3, 4])('that meets the end of the answer gives one of the two ends (round %d)', async () => {
    const [conversationId, turnId] = [newConversationId(), newTurnId()];
    const held = replies.held(questionOf(turnId), chunks);
    say(conversationId, turnId);
    held.pass(2);
    await ada.untilEvent(turnId, 'delta');
    held.open();
    ada.send({ type: 'cancel', turnId });
    const transcript = await ada.untilEnd(turnId);
    const end = expectOneEnd(transcript, ada.events(turnId));
    if (end.type === 'turn_completed') expect(answerOf(transcript)).toBe(chunks.join(''));
    else await expectSameText(turnId, answerOf(transcript));
    expect(['turn_completed', 'turn_cancelled']).toContain(end.type);
    expect(chunks.join('').startsWith(answerOf(transcript))).toBe(true);
    await expectNextIsAnswered(conversationId);
  });

  test('twice from two devices is one stop, and both devices see the same end', async () => {
    const [conversationId, turnId] = [newConversationId(), newTurnId()];
    const held = replies.held(questionOf(turnId), chunks);
    say(conversationId, turnId);
    phone.send({ type: 'watch', conversationId });
    held.pass(1);
    await Promise.all([ada.untilEvent(turnId, 'delta'), phone.untilEvent(turnId, 'delta')]);
    for (const device of [ada, phone]) device.send({ type: 'cancel', turnId });
    const [here, there] = await Promise.all([ada.untilEnd(turnId), phone.untilEnd(turnId)]);
    expect(expectOneEnd(here, ada.events(turnId))).toEqual(expectOneEnd(there, phone.events(turnId)));
    expect(terminalOf(here)).toMatchObject({ type: 'turn_cancelled', by: 'user' });
    expect(terminalOf(here)).not.toMatchObject({ upstreamClosedAt: null });
    const [call] = replies.calls(questionOf(turnId));
    expect(call?.closedAt).not.toBeNull();
    expect(answerOf(here)).toBe(chunks[0]);
    // A third one, of a turn that is over, changes nothing and is no error.
    ada.send({ type: 'cancel', turnId });
    await expectNextIsAnswered(conversationId);
    expectOneEnd(ada.transcript(turnId), ada.events(turnId));
    expect(ada.frames.filter((f) => f.type === 'error')).toEqual([]);
  });
});
