// Temporal is killed under a running turn and comes back on its database. Meanwhile everything that needs it says so,
// everything that does not need it works, and nobody connects anything again by hand.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunningTemporal } from '../../src/parts/index.ts';
import { isTerminal } from '../../src/protocol/events.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { answerOf, terminalOf } from '../../src/protocol/transcript.ts';
import { answerTo, createReplies, questionOf, type Replies } from '../e2e/replies.ts';
import type { Valve } from '../../testing/upstream/upstream.ts';
import { createOwnServers, type OwnServer, type OwnServers } from '../own-servers.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';

type Socket = Awaited<ReturnType<Stack['connect']>>;

let own: OwnServers;
let temporal: OwnServer<RunningTemporal>;
let stack: Stack;
let elsewhere: Stack;
let replies: Replies;
let ada: Socket;
let stored: { readonly turnId: TurnId; readonly conversationId: ConversationId };
let running: { readonly turnId: TurnId; readonly conversationId: ConversationId; readonly valve: Valve };

beforeAll(async () => {
  own = await createOwnServers();
  temporal = await own.temporal();
  stack = await startStack({ temporal: temporal.running });
  const { upstream, options } = stack;
  const { taskQueue } = options.temporal;
  elsewhere = await startStack({ roles: 'gateway', upstream, taskQueue, temporal: temporal.running });
  replies = createReplies(upstream);
  ada = await stack.connect();

  stored = { turnId: newTurnId(), conversationId: newConversationId() };
  ada.message(stored.turnId, stored.conversationId, questionOf(stored.turnId));
  await ada.untilEnd(stored.turnId);

  const turnId = newTurnId();
  running = {
    turnId,
    conversationId: newConversationId(),
    valve: replies.held(questionOf(turnId), ['before ', 'and ', 'after']),
  };
  running.valve.pass(1);
  ada.message(turnId, running.conversationId, questionOf(turnId));
  await ada.untilEvent(turnId, 'delta');
  await temporal.kill();
}, 180_000);
afterAll(async () => {
  await elsewhere.close();
  await stack.close();
  await own.close();
});

const unavailable = { code: 'engine_unavailable', retryable: true, source: 'engine' };
const later = newTurnId();

describe('while the engine is away', () => {
  test('a running turn waits for it and says so, and keeps its text', async () => {
    const waiting = await ada.untilEvent(running.turnId, 'waiting');
    expect(waiting).toMatchObject({ reason: 'engine', error: unavailable });
    expect(answerOf(ada.transcript(running.turnId))).toBe('before ');
  });

  test('a message is refused by its id, on the socket and by REST, and is not accepted', async () => {
    ada.message(later, stored.conversationId, questionOf(later));
    expect((await ada.untilError(later)).error).toMatchObject(unavailable);
    const response = await stack.fetch(`/api/conversations/${stored.conversationId}/turns`, {
      method: 'POST',
      body: JSON.stringify({ turnId: later, text: questionOf(later) }),
    });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'engine_unavailable', retryable: true });
    expect(ada.events(later)).toEqual([]);
  });

  test('a stop is refused: nothing is pretended', async () => {
    ada.send({ type: 'cancel', turnId: running.turnId });
    expect((await ada.untilError(running.turnId)).error).toMatchObject(unavailable);
    const response = await stack.fetch(`/api/turns/${running.turnId}/cancel`, { method: 'POST' });
    expect(response.status).toBe(503);
  });

  test('what the graph knows is shown at a gateway that never saw it; what it does not know is refused', async () => {
    const finished = await elsewhere.fetch(`/api/turns/${stored.turnId}`);
    expect(await finished.json()).toMatchObject({ state: 'completed', answer: answerTo(questionOf(stored.turnId)) });
    const socket = await elsewhere.connect();
    socket.send({ type: 'resume', turnId: stored.turnId });
    expect((await socket.untilEnd(stored.turnId)).log).toEqual(ada.transcript(stored.turnId).log);

    const open = await elsewhere.fetch(`/api/turns/${running.turnId}`);
    expect(await open.json()).toMatchObject({ state: 'waiting', text: questionOf(running.turnId), answer: null });
    socket.send({ type: 'watch', conversationId: running.conversationId });
    await socket.until((frame) => frame.type === 'conversation' && frame.conversationId === running.conversationId);
    expect(await socket.untilEvent(running.turnId, 'waiting')).toMatchObject({ reason: 'engine', error: unavailable });

    const unknown = await elsewhere.fetch(`/api/turns/${newTurnId()}`);
    expect(unknown.status).toBe(503);
    expect((await elsewhere.fetch('/readyz')).status).toBe(503);
  });
});

test('when it is back on its database the turn ends as it should, once, and messages are taken again', async () => {
  const socket = await elsewhere.connect();
  socket.send({ type: 'resume', turnId: running.turnId });
  await socket.untilEvent(running.turnId, 'waiting');
  await temporal.startAgain();
  running.valve.open();
  const transcript = await ada.untilEnd(running.turnId);
  expect(terminalOf(transcript)?.type).toBe('turn_completed');
  expect(answerOf(transcript)).toBe('before and after');
  expect(ada.events(running.turnId).filter(isTerminal)).toHaveLength(1);
  expect((await socket.untilEnd(running.turnId)).log).toEqual(transcript.log);

  ada.message(later, stored.conversationId, questionOf(later));
  expect(answerOf(await ada.untilEnd(later))).toBe(answerTo(questionOf(later)));
  expect(replies.calls(questionOf(later))).toHaveLength(1);
});

test('an engine that comes back with nothing ends the turns that it has forgotten, in the graph too', async () => {
  const [turnId, next, conversationId] = [newTurnId(), newTurnId(), newConversationId()];
  const valve = replies.held(questionOf(turnId), ['lost ', 'for good']);
  valve.pass(1);
  ada.message(turnId, conversationId, questionOf(turnId));
  await ada.untilEvent(turnId, 'delta');
  await temporal.kill();
  await temporal.startEmpty();
  const transcript = await ada.untilEnd(turnId);
  expect(terminalOf(transcript)).toMatchObject({
    type: 'turn_failed',
    receipt: null,
    error: { code: 'internal', message: expect.stringContaining('gone from Temporal') },
  });
  expect(answerOf(transcript)).toBe('');
  const socket = await elsewhere.connect();
  socket.send({ type: 'resume', turnId });
  expect((await socket.untilEnd(turnId)).log).toEqual(transcript.log);
  valve.open();
  ada.message(next, conversationId, questionOf(next));
  expect(answerOf(await ada.untilEnd(next))).toBe(answerTo(questionOf(next)));
});
