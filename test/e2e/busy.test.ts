// Messages into a conversation that is busy: who waits, who is refused, who is stopped, and that nothing that is lost on
// the way, a reply of the graph or a whole workflow, locks a conversation.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TurnEvent } from '../../src/protocol/events.ts';
import { turnWorkflowId, type ConversationId, type TurnId } from '../../src/protocol/ids.ts';
import { maxQueuedTurns } from '../../src/protocol/limits.ts';
import { answerOf, terminalOf, type Transcript } from '../../src/protocol/transcript.ts';
import { signals, type BusyMode } from '../../src/protocol/turn.ts';
import type { ChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { refuse, type Valve } from '../../testing/upstream/upstream.ts';
import { createGraphGates } from './graph-gates.ts';
import { answerTo, createReplies, questionOf, type Replies } from './replies.ts';

const gates = createGraphGates();
let stack: Stack;
let replies: Replies;
let ada: ChatClient;
beforeAll(async () => {
  stack = await startStack({ decorate: { graph: gates.decorate } });
  replies = createReplies(stack.upstream);
  ada = await stack.connect();
});
afterAll(() => stack.close());

interface HeldTurn {
  readonly turnId: TurnId;
  readonly valve: Valve;
}

const half = 'The first half, ';

/** A message whose answer stands still in its middle. */
async function ask(conversationId: ConversationId, socket = ada): Promise<HeldTurn> {
  const turnId = newTurnId();
  const valve = hold(turnId);
  valve.pass(1);
  socket.message(turnId, conversationId, questionOf(turnId));
  await socket.untilEvent(turnId, 'delta');
  return { turnId, valve };
}

const hold = (turnId: TurnId): Valve => replies.held(questionOf(turnId), [half, 'the second half.']);

function say(conversationId: ConversationId, busy?: BusyMode, socket = ada): TurnId {
  const turnId = newTurnId();
  socket.message(turnId, conversationId, questionOf(turnId), busy);
  return turnId;
}

/** Waits in the conversation, and whoever it waits for knows it. */
async function queue(conversationId: ConversationId): Promise<TurnId> {
  const turnId = say(conversationId);
  const { behind } = await ada.untilEvent(turnId, 'turn_queued');
  await untilSignalled(behind, signals.follow);
  return turnId;
}

/** Resolves when the workflow's history has the signal. */
async function untilSignalled(turnId: TurnId, name: string): Promise<void> {
  const request = {
    namespace: stack.client.options.namespace,
    execution: { workflowId: turnWorkflowId(turnId) },
    waitNewEvent: true,
  };
  for (let nextPageToken: Uint8Array = new Uint8Array(); ;) {
    const page = await stack.client.workflowService.getWorkflowExecutionHistory({ ...request, nextPageToken });
    const names = page.history?.events?.map((e) => e.workflowExecutionSignaledEventAttributes?.signalName) ?? [];
    if (names.includes(name)) return;
    nextPageToken = page.nextPageToken;
  }
}

const types = (transcript: Transcript): readonly TurnEvent['type'][] => transcript.log.map((event) => event.type);

/** What was said, as the turn's model was given it; a graph with knowledge adds pieces of that, and they are no exchange. */
const promptOf = (turnId: TurnId): readonly string[] =>
  (replies.calls(questionOf(turnId))[0]?.body.messages ?? [])
    .filter(({ role }) => role !== 'system')
    .map(({ content }) => content);

interface View {
  readonly turnId: TurnId;
  readonly state: string;
  readonly answer: string | null;
}
async function turnsOf(conversationId: ConversationId): Promise<readonly View[]> {
  const response = await stack.fetch(`/api/conversations/${conversationId}`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { turns: View[] }).turns;
}

/** The conversation still takes a message, and answers it without waiting for anybody. */
async function expectFree(conversationId: ConversationId): Promise<void> {
  const next = say(conversationId);
  expect(types(await ada.untilEnd(next))).toEqual([
    'turn_accepted',
    'agent_started',
    'agent_thinking',
    'agent_completed',
    'conversation_stored',
    'audit_started',
    'turn_completed',
  ]);
}

describe('enqueue', () => {
  test('a message behind a running turn says whom it waits for and knows that exchange (A20)', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    const second = say(conversationId, 'enqueue');
    expect(await ada.untilEvent(second, 'turn_queued')).toMatchObject({ behind: first.turnId });
    expect(replies.calls(questionOf(second))).toHaveLength(0);
    first.valve.open();
    await ada.untilEnd(first.turnId);
    const transcript = await ada.untilEnd(second);
    expect(types(transcript).slice(0, 3)).toEqual(['turn_accepted', 'turn_queued', 'agent_started']);
    expect(terminalOf(transcript)).toMatchObject({ type: 'turn_completed' });
    const prompt = promptOf(second);
    const asked = prompt.indexOf(questionOf(first.turnId));
    expect(prompt.slice(asked)).toEqual([questionOf(first.turnId), `${half}the second half.`, questionOf(second)]);
    expect((await turnsOf(conversationId)).map((turn) => turn.turnId)).toEqual([first.turnId, second]);
  });

  test('three messages run one after the other, in the order of their linking', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    const second = await queue(conversationId);
    const third = await queue(conversationId);
    expect(await ada.untilEvent(third, 'turn_queued')).toMatchObject({ behind: second });
    first.valve.open();
    await ada.untilEnd(third);
    const prompt = promptOf(third);
    expect(prompt.slice(prompt.indexOf(questionOf(first.turnId)))).toEqual([
      questionOf(first.turnId),
      `${half}the second half.`,
      questionOf(second),
      answerTo(questionOf(second)),
      questionOf(third),
    ]);
  });

  test('the eleventh message that would wait is refused as busy', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    const waiting: TurnId[] = [];
    for (let n = 0; n < maxQueuedTurns; n++) {
      const turnId = say(conversationId);
      await ada.untilEvent(turnId, 'turn_queued');
      waiting.push(turnId);
    }
    const refused = await ada.untilEnd(say(conversationId));
    expect(types(refused)).toEqual(['turn_accepted', 'agent_failed', 'turn_failed']);
    expect(terminalOf(refused)).toMatchObject({ error: { code: 'conversation_busy' } });
    first.valve.open();
    for (const turnId of waiting) expect(terminalOf(await ada.untilEnd(turnId))?.type).toBe('turn_completed');
    expect(await turnsOf(conversationId)).toHaveLength(1 + maxQueuedTurns);
  });
});

describe('reject', () => {
  test('a message that must not wait is refused, is nowhere in the conversation, and the next one works', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    const second = say(conversationId, 'reject');
    const refused = await ada.untilEnd(second);
    expect(types(refused)).toEqual(['turn_accepted', 'agent_failed', 'turn_failed']);
    expect(terminalOf(refused)).toMatchObject({ error: { code: 'conversation_busy', retryable: true } });
    expect((await turnsOf(conversationId)).map((turn) => turn.turnId)).toEqual([first.turnId]);
    first.valve.open();
    await ada.untilEnd(first.turnId);
    await expectFree(conversationId);
    expect((await turnsOf(conversationId)).map((turn) => turn.turnId)).not.toContain(second);
    expect(replies.calls(questionOf(second))).toHaveLength(0);
  });

  test('a message that must not wait runs when the conversation is free', async () => {
    const turnId = say(newConversationId(), 'reject');
    expect(terminalOf(await ada.untilEnd(turnId))?.type).toBe('turn_completed');
  });
});

describe('withdraw', () => {
  test('a queued message is taken back, and its follower waits for the turn that still runs', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    const second = await queue(conversationId);
    const third = await queue(conversationId);
    ada.send({ type: 'withdraw', turnId: second });
    const withdrawn = await ada.untilEnd(second);
    expect(types(withdrawn)).toEqual(['turn_accepted', 'turn_queued', 'turn_cancelled']);
    expect(terminalOf(withdrawn)).toMatchObject({ by: 'withdrawn', upstreamClosedAt: null, charsAfterStop: null });
    await ada.until((frame) => frame.type === 'turn_queued' && frame.turnId === third && frame.behind === first.turnId);
    expect(replies.calls(questionOf(third))).toHaveLength(0);
    first.valve.open();
    expect(terminalOf(await ada.untilEnd(third))?.type).toBe('turn_completed');
    const prompt = promptOf(third);
    expect(prompt).toContain(questionOf(first.turnId));
    expect(prompt).not.toContain(questionOf(second));
  });

  test('a message that runs already is not taken back', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    ada.send({ type: 'withdraw', turnId: first.turnId });
    await untilSignalled(first.turnId, signals.withdraw);
    first.valve.open();
    expect(terminalOf(await ada.untilEnd(first.turnId))?.type).toBe('turn_completed');
  });
});

describe('interrupt, by the state of the turn it meets', () => {
  test('queued: cancelled, and the interrupter goes on to the turn before it', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    const second = await queue(conversationId);
    const third = say(conversationId, 'interrupt');
    const stopped = await ada.untilEnd(second);
    expect(types(stopped)).toEqual(['turn_accepted', 'turn_queued', 'turn_cancelled']);
    expect(terminalOf(stopped)).toMatchObject({ by: 'interrupt' });
    expect(terminalOf(await ada.untilEnd(first.turnId))).toMatchObject({ type: 'turn_cancelled', by: 'interrupt' });
    const transcript = await ada.untilEnd(third);
    expect(terminalOf(transcript)?.type).toBe('turn_completed');
    const behind = transcript.log.flatMap((event) => (event.type === 'turn_queued' ? [event.behind] : []));
    expect(behind).toEqual([second, first.turnId]);
    expect(replies.calls(questionOf(second))).toHaveLength(0);
  });

  test('retrieving: cancelled before a model is asked', async () => {
    const conversationId = newConversationId();
    const first = newTurnId();
    const gate = gates.hold('linked', first);
    ada.message(first, conversationId, questionOf(first));
    await gate.reached;
    const second = say(conversationId, 'interrupt');
    expect(await ada.untilEvent(second, 'turn_queued')).toMatchObject({ behind: first });
    await untilSignalled(first, signals.interrupt);
    gate.open();
    const stopped = await ada.untilEnd(first);
    expect(types(stopped)).toEqual(['turn_accepted', 'turn_cancelled']);
    expect(terminalOf(stopped)).toMatchObject({ by: 'interrupt', upstreamClosedAt: null, charsAfterStop: null });
    expect(terminalOf(await ada.untilEnd(second))?.type).toBe('turn_completed');
    expect(replies.calls(questionOf(first))).toHaveLength(0);
  });

  test('streaming: cancelled, its partial text kept and marked, its connection closed', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    const second = say(conversationId, 'interrupt');
    const stopped = await ada.untilEnd(first.turnId);
    expect(types(stopped)).toEqual([
      'turn_accepted',
      'agent_started',
      'agent_thinking',
      'conversation_stored',
      'audit_started',
      'turn_cancelled',
    ]);
    expect(answerOf(stopped)).toBe(half);
    expect(terminalOf(stopped)).toMatchObject({
      by: 'interrupt',
      upstreamClosedAt: expect.any(String) as unknown,
      receipt: { outcome: 'cancelled', incomplete: true },
    });
    const call = await replies.call(questionOf(first.turnId));
    expect((await stack.upstream.call(call.n).closed).closedAt).not.toBeNull();
    expect(terminalOf(await ada.untilEnd(second))?.type).toBe('turn_completed');
    expect(promptOf(second)).toContain(questionOf(first.turnId));
    expect(promptOf(second).some((text) => text.startsWith(half))).toBe(true);
  });

  test('backing off: cancelled, without waiting for the next try', async () => {
    const conversationId = newConversationId();
    const first = newTurnId();
    replies.to(questionOf(first), refuse(503, undefined, { 'retry-after': '600' }));
    ada.message(first, conversationId, questionOf(first));
    await ada.untilEvent(first, 'attempt_failed');
    const second = say(conversationId, 'interrupt');
    const stopped = await ada.untilEnd(first);
    expect(types(stopped).slice(-2)).toEqual(['attempt_failed', 'turn_cancelled']);
    expect(terminalOf(stopped)).toMatchObject({ by: 'interrupt', receipt: { answerSha256: null } });
    expect(terminalOf(await ada.untilEnd(second))?.type).toBe('turn_completed');
    expect(replies.calls(questionOf(first))).toHaveLength(1);
  });

  test('storing: too late, it completes, and the interrupter waits for it', async () => {
    const conversationId = newConversationId();
    const first = newTurnId();
    const gate = gates.hold('storeTurn', first);
    ada.message(first, conversationId, questionOf(first));
    await gate.reached;
    const second = say(conversationId, 'interrupt');
    await untilSignalled(first, signals.interrupt);
    gate.open();
    expect(terminalOf(await ada.untilEnd(first))?.type).toBe('turn_completed');
    const transcript = await ada.untilEnd(second);
    expect(types(transcript)).toContain('turn_queued');
    expect(terminalOf(transcript)?.type).toBe('turn_completed');
    expect(promptOf(second)).toContain(answerTo(questionOf(first)));
  });

  test('two at once: the running turn and one of them are cancelled, the other is answered', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    const bob = await stack.connect();
    const rivals = [newTurnId(), newTurnId()] as const;
    const valves = new Map(rivals.map((turnId) => [turnId, hold(turnId)]));
    ada.message(rivals[0], conversationId, questionOf(rivals[0]), 'interrupt');
    bob.message(rivals[1], conversationId, questionOf(rivals[1]), 'interrupt');
    expect(terminalOf(await ada.untilEnd(first.turnId))).toMatchObject({ type: 'turn_cancelled', by: 'interrupt' });
    const loser = await Promise.race([ada.untilEnd(rivals[0]), bob.untilEnd(rivals[1])]);
    expect(terminalOf(loser)).toMatchObject({ type: 'turn_cancelled', by: 'interrupt' });
    const winner = loser.turnId === rivals[0] ? rivals[1] : rivals[0];
    valves.get(winner)?.open();
    const socket = winner === rivals[0] ? ada : bob;
    expect(terminalOf(await socket.untilEnd(winner))?.type).toBe('turn_completed');
    const states = (await turnsOf(conversationId)).map(({ state }) => state);
    expect(states).toEqual(['cancelled', 'cancelled', 'completed']);
    await expectFree(conversationId);
  });
});

describe('what is lost locks nothing', () => {
  test('two turns that wait for one that is terminated in Temporal run one after the other', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    const second = await queue(conversationId);
    const third = await queue(conversationId);
    await stack.client.workflow.getHandle(turnWorkflowId(first.turnId)).terminate('by the test');
    const broken = await ada.untilEnd(first.turnId);
    expect(terminalOf(broken)).toMatchObject({ type: 'turn_failed', error: { code: 'internal' }, receipt: null });
    expect(terminalOf(await ada.untilEnd(second))?.type).toBe('turn_completed');
    expect(terminalOf(await ada.untilEnd(third))?.type).toBe('turn_completed');
    expect(promptOf(third)).toContain(questionOf(second));
    const states = (await turnsOf(conversationId)).map(({ state }) => state);
    expect(states).toEqual(['failed', 'completed', 'completed']);
    await expectFree(conversationId);
  });

  test('a link whose reply was lost does not wait for itself', async () => {
    const conversationId = newConversationId();
    const turnId = newTurnId();
    gates.loseLinkReply(turnId);
    ada.message(turnId, conversationId, questionOf(turnId));
    const transcript = await ada.untilEnd(turnId);
    expect(types(transcript)).not.toContain('turn_queued');
    expect(terminalOf(transcript)?.type).toBe('turn_completed');
    expect(await turnsOf(conversationId)).toHaveLength(1);
  });

  test('a queued turn whose link reply was lost waits for the turn before it', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    const second = newTurnId();
    gates.loseLinkReply(second);
    ada.message(second, conversationId, questionOf(second));
    expect(await ada.untilEvent(second, 'turn_queued')).toMatchObject({ behind: first.turnId });
    first.valve.open();
    expect(terminalOf(await ada.untilEnd(second))?.type).toBe('turn_completed');
  });
});

describe('cancel', () => {
  test('a queued turn is cancelled at once, and nothing of it is asked of a model', async () => {
    const conversationId = newConversationId();
    const first = await ask(conversationId);
    const second = await queue(conversationId);
    ada.send({ type: 'cancel', turnId: second });
    const stopped = await ada.untilEnd(second);
    expect(types(stopped)).toEqual(['turn_accepted', 'turn_queued', 'turn_cancelled']);
    expect(terminalOf(stopped)).toMatchObject({ by: 'user' });
    first.valve.open();
    expect(terminalOf(await ada.untilEnd(first.turnId))?.type).toBe('turn_completed');
    expect(replies.calls(questionOf(second))).toHaveLength(0);
    await expectFree(conversationId);
  });

  test('a running turn is stopped: its connection is closed, its text kept, the next message works', async () => {
    const conversationId = newConversationId();
    const { turnId } = await ask(conversationId);
    const askedAt = Date.now();
    ada.send({ type: 'cancel', turnId });
    const call = await replies.call(questionOf(turnId));
    const { closedAt } = await stack.upstream.call(call.n).closed;
    expect(closedAt).not.toBeNull();
    expect((closedAt ?? Infinity) - askedAt).toBeLessThan(3_000);
    const stopped = await ada.untilEnd(turnId);
    expect(answerOf(stopped)).toBe(half);
    const terminal = terminalOf(stopped);
    expect(terminal).toMatchObject({
      type: 'turn_cancelled',
      by: 'user',
      requestedAt: expect.any(String) as unknown,
      upstreamClosedAt: expect.any(String) as unknown,
      charsAfterStop: 0,
      receipt: { outcome: 'cancelled', incomplete: true, attempts: [{ outcome: 'stopped' }] },
    });
    expect(await turnsOf(conversationId)).toMatchObject([{ turnId, state: 'cancelled', answer: half }]);
    await expectFree(conversationId);
  });

  test('cancelled twice from two sockets, a turn has one end', async () => {
    const conversationId = newConversationId();
    const { turnId } = await ask(conversationId);
    const other = await stack.connect();
    other.send({ type: 'resume', turnId });
    await other.untilEvent(turnId, 'delta');
    ada.send({ type: 'cancel', turnId });
    other.send({ type: 'cancel', turnId });
    const ends = await Promise.all([ada.untilEnd(turnId), other.untilEnd(turnId)]);
    expect(ends[0].log).toEqual(ends[1].log);
    await expectFree(conversationId);
    for (const socket of [ada, other]) {
      const terminals = socket.events(turnId).filter((event) => event.type === 'turn_cancelled');
      expect(terminals).toHaveLength(1);
    }
    expect((await stack.client.workflow.getHandle(turnWorkflowId(turnId)).result()) as unknown).toMatchObject({
      outcome: 'cancelled',
    });
  });

  test('a turn that was stopped while the graph linked it is cancelled there too, and nobody waits for it', async () => {
    const conversationId = newConversationId();
    const turnId = newTurnId();
    const gate = gates.hold('link', turnId);
    ada.message(turnId, conversationId, questionOf(turnId));
    await gate.reached;
    ada.send({ type: 'cancel', turnId });
    await untilSignalled(turnId, signals.cancel);
    // Whatever the stopped turn does without its link, it has done when another one went all its way.
    await expectFree(newConversationId());
    gate.open();
    expect(types(await ada.untilEnd(turnId))).toEqual(['turn_accepted', 'turn_cancelled']);
    expect((await stack.candor.graph.turn(turnId))?.result).toMatchObject({ outcome: 'cancelled' });
    expect(await turnsOf(conversationId)).toMatchObject([{ turnId, state: 'cancelled' }]);
    await expectFree(conversationId);
  });

  test('a workflow cancelled in Temporal is a stop by the operator', async () => {
    const { turnId } = await ask(newConversationId());
    await stack.client.workflow.getHandle(turnWorkflowId(turnId)).cancel();
    const stopped = await ada.untilEnd(turnId);
    expect(terminalOf(stopped)).toMatchObject({ type: 'turn_cancelled', by: 'operator' });
    expect(answerOf(stopped)).toBe(half);
  });
});
