// A reader that was away comes back with its cursor: on the same gateway, on another one that shares no lane, in the
// middle of a piece of text, or long after the end. Nothing is lost and nothing comes twice.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CursorFrame } from '../../src/protocol/cursor.ts';
import { isSequenced, type Channel, type TurnEvent } from '../../src/protocol/events.ts';
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import { answerOf, terminalOf } from '../../src/protocol/transcript.ts';
import type { ChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { answer, createValve, resetAfter, type Valve } from '../../testing/upstream/upstream.ts';
import { createReplies, questionOf, type Replies } from './replies.ts';

let stack: Stack;
let far: Stack;
let replies: Replies;
beforeAll(async () => {
  stack = await startStack();
  const { upstream, options } = stack;
  far = await startStack({ roles: 'gateway', upstream, taskQueue: options.temporal.taskQueue });
  replies = createReplies(upstream);
});
afterAll(async () => {
  await far.close();
  await stack.close();
});

const reasoning = ['first I think, ', 'then I know.'];
const chunks = ['0123456789', 'abc🙂def', ' and the end'];
const whole = chunks.join('');

/** Reads the reasoning and the first piece of the answer, and then loses its socket. */
async function startAndLeave(): Promise<{ turnId: TurnId; valve: Valve; thinking: number }> {
  const turnId = newTurnId();
  const valve = createValve();
  replies.to(questionOf(turnId), answer(chunks, { valve, reasoning }));
  valve.pass(reasoning.length + 1);
  const ada = await stack.connect();
  ada.message(turnId, newConversationId(), questionOf(turnId));
  await ada.until((frame) => frame.type === 'delta' && frame.channel === 'answer');
  const { seq } = await ada.untilEvent(turnId, 'agent_thinking');
  ada.close();
  await ada.closed;
  return { turnId, valve, thinking: seq };
}

async function finish({ turnId, valve }: { turnId: TurnId; valve: Valve }): Promise<void> {
  valve.open();
  const socket = await stack.connect();
  socket.send({ type: 'resume', turnId });
  await socket.untilEnd(turnId);
}

async function resume(gateway: Stack, turnId: TurnId, cursor?: CursorFrame): Promise<ChatClient> {
  const socket = await gateway.connect();
  socket.send({ type: 'resume', turnId, ...(cursor === undefined ? {} : { cursor }) });
  return socket;
}

/** Events after the cursor, each once and in order, and text that begins where the cursor ends, without a seam. */
function expectSeamless(events: readonly TurnEvent[], seq: number, from: Partial<Record<Channel, number>>): void {
  const seqs = events.filter(isSequenced).map((event) => event.seq);
  expect(seqs).toEqual(seqs.map((_, index) => seq + 1 + index));
  for (const [channel, text] of [
    ['answer', whole],
    ['reasoning', reasoning.join('')],
  ] as const) {
    let have = from[channel] ?? 0;
    for (const event of events) {
      if (event.type !== 'delta' || event.channel !== channel) continue;
      expect(event.offset).toBe(have);
      expect(event.text).toBe(text.slice(have, have + event.text.length));
      have += event.text.length;
    }
    expect(have).toBe(text.length);
  }
}

/** Answered behind everything that the socket was owed. */
async function settle(socket: ChatClient): Promise<void> {
  const unknown = newTurnId();
  socket.send({ type: 'resume', turnId: unknown });
  await socket.untilError(unknown);
}

const withoutAudit = (events: readonly TurnEvent[]): readonly TurnEvent[] =>
  events.filter((event) => !event.type.startsWith('audit_c') && !event.type.startsWith('audit_f'));

describe.each([
  { where: 'the same gateway', gateway: () => stack },
  { where: 'another gateway, from the durable side', gateway: () => far },
])('a reload in the middle of an answer, on $where', ({ gateway }) => {
  test('goes on in the middle of a delta, with a flat cursor', async () => {
    const turn = await startAndLeave();
    const { turnId, thinking } = turn;
    // The flat cursor names one stream: the other one starts at 0.
    const socket = await resume(gateway(), turnId, { seq: thinking, step: 1, attempt: 1, offset: 4 });
    expect(await socket.until((f) => f.type === 'delta' && f.channel === 'answer')).toMatchObject({ offset: 4 });
    turn.valve.open();
    await socket.until((frame) => frame.type === 'turn_completed');
    expectSeamless(withoutAudit(socket.events(turnId)), thinking, { answer: 4 });
  });

  test('goes on with a cursor for each stream', async () => {
    const turn = await startAndLeave();
    const { turnId, thinking } = turn;
    const at = { step: 1, attempt: 1 };
    const streams = [
      { ...at, channel: 'reasoning', offset: reasoning.join('').length },
      { ...at, channel: 'answer', offset: 7 },
    ] as const;
    const socket = await resume(gateway(), turnId, { seq: thinking, streams });
    await socket.until((frame) => frame.type === 'delta' && frame.channel === 'answer');
    turn.valve.open();
    await socket.until((frame) => frame.type === 'turn_completed');
    expectSeamless(withoutAudit(socket.events(turnId)), thinking, { reasoning: reasoning.join('').length, answer: 7 });
  });

  test('starts from the beginning without a cursor', async () => {
    const turn = await startAndLeave();
    const socket = await resume(gateway(), turn.turnId);
    await socket.until((frame) => frame.type === 'delta' && frame.channel === 'answer');
    turn.valve.open();
    const transcript = await socket.untilEnd(turn.turnId);
    expectSeamless(withoutAudit(socket.events(turn.turnId)), 0, {});
    expect(answerOf(transcript)).toBe(whole);
    expect(transcript.ahead).toEqual([]);
  });

  test('is stopped from there, and its connection to the model is closed', async () => {
    const { turnId } = await startAndLeave();
    const socket = await resume(gateway(), turnId);
    await socket.until((frame) => frame.type === 'delta' && frame.channel === 'answer');
    const askedAt = Date.now();
    socket.send({ type: 'cancel', turnId });
    const transcript = await socket.untilEnd(turnId);
    expect(terminalOf(transcript)).toMatchObject({ by: 'user', upstreamClosedAt: expect.any(String) as unknown });
    expect(answerOf(transcript)).toBe(chunks[0]);
    const call = await replies.call(questionOf(turnId));
    const { closedAt } = await stack.upstream.call(call.n).closed;
    expect((closedAt ?? Infinity) - askedAt).toBeLessThan(3_000);
  });

  test('after the end sends what is missing, and text of a completed step only when its end was missing too', async () => {
    const turn = await startAndLeave();
    await finish(turn);
    const { turnId, thinking } = turn;

    const middle = await resume(gateway(), turnId, { seq: thinking, step: 1, attempt: 1, offset: 13 });
    await middle.until((frame) => frame.type === 'turn_completed');
    // 13 lies between the two halves of 🙂: a delta never begins there.
    const [first] = middle.events(turnId).filter((e) => e.type === 'delta' && e.channel === 'answer');
    expect([12, 13, 14]).toContain((first as { offset: number }).offset);
    const text = (first as { text: string }).text;
    expect(whole.endsWith(text)).toBe(true);
    expect(text).not.toMatch(/^[\uDC00-\uDFFF]/);

    const behind = await resume(gateway(), turnId, { seq: thinking + 1 });
    await behind.until((frame) => frame.type === 'turn_completed');
    const events = withoutAudit(behind.events(turnId));
    expect(events.map((event) => event.type)).toEqual(['conversation_stored', 'audit_started', 'turn_completed']);

    const at = await resume(gateway(), turnId, { seq: thinking + 4 });
    await settle(at);
    expect(withoutAudit(at.events(turnId))).toEqual([]);

    const beyond = await resume(gateway(), turnId, { seq: thinking + 40 });
    expect((await beyond.untilError(turnId)).error.code).toBe('invalid_request');
  });
});

describe('two readers of one turn', () => {
  test('on two gateways see the same events and the same text', async () => {
    const turn = await startAndLeave();
    const [here, there] = [await resume(stack, turn.turnId), await resume(far, turn.turnId)];
    await there.until((frame) => frame.type === 'delta' && frame.channel === 'answer');
    turn.valve.open();
    const [one, two] = [await here.untilEnd(turn.turnId), await there.untilEnd(turn.turnId)];
    expect(two.log).toEqual(one.log);
    expect(two.streams).toEqual(one.streams);
  });
});

describe('a reader that saw an attempt which failed meanwhile', () => {
  test('comes back after the end, and gets what replaced it', async () => {
    const turnId = newTurnId();
    const valve = createValve();
    replies.to(questionOf(turnId), resetAfter(chunks, { valve }), answer(chunks));
    valve.pass(1);
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    await ada.untilEvent(turnId, 'delta');
    const { seq } = await ada.untilEvent(turnId, 'agent_thinking');
    ada.close();
    valve.open();
    await (await resume(stack, turnId)).untilEnd(turnId);
    for (const gateway of [stack, far]) {
      const socket = await resume(gateway, turnId, { seq, step: 1, attempt: 1, offset: 10 });
      await socket.until((frame) => frame.type === 'turn_completed');
      const events = withoutAudit(socket.events(turnId));
      expect(events[0]).toMatchObject({
        type: 'attempt_failed',
        seq: seq + 1,
        attempt: 1,
        retryAt: expect.any(String) as unknown,
      });
      expectSeamless(
        events.filter((event) => event.type !== 'delta' || event.channel === 'answer'),
        seq,
        { reasoning: reasoning.join('').length },
      );
      expect(events.some((event) => event.type === 'delta' && event.attempt === 1)).toBe(false);
    }
  });
});

describe('a week after the end, when Temporal has forgotten the turn', () => {
  test('any cursor that it gave is gone on from, by socket and by server-sent events, at both gateways', async () => {
    const turnId = newTurnId();
    replies.to(questionOf(turnId), resetAfter(chunks.slice(0, 2), { reasoning }), answer(chunks, { reasoning }));
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    const { log } = await ada.untilEnd(turnId);
    const workflow = stack.client.workflow.getHandle(turnWorkflowId(turnId));
    await stack.client.workflowService.deleteWorkflowExecution({
      namespace: stack.client.options.namespace,
      workflowExecution: { workflowId: workflow.workflowId },
    });
    await untilForgotten(workflow);
    const fresh = await startStack({
      ...{ roles: 'gateway', upstream: stack.upstream, taskQueue: stack.options.temporal.taskQueue },
    });
    try {
      const places: readonly (CursorFrame & { readonly from: Partial<Record<Channel, number>> })[] = [
        { seq: 0, from: {} },
        { seq: 3, step: 1, attempt: 1, offset: 7, from: {} },
        { seq: 4, from: {} },
        { seq: 5, step: 1, attempt: 2, offset: 11, from: { answer: 11 } },
        { seq: 6, from: { answer: whole.length, reasoning: reasoning.join('').length } },
      ];
      for (const { from, ...cursor } of places) {
        const socket = await resume(fresh, turnId, cursor);
        await socket.until((frame) => frame.type === 'turn_completed');
        expectSeamless(withoutAudit(socket.events(turnId)), cursor.seq, from);
        const id = Buffer.from(JSON.stringify(cursor)).toString('base64url');
        const response = await fresh.fetch(`/api/turns/${turnId}/events`, { headers: { 'last-event-id': id } });
        const events = [...(await response.text()).matchAll(/^data: (.*)$/gm)].map(
          ([, data]) => JSON.parse(data ?? '') as TurnEvent,
        );
        expect(withoutAudit(events)).toEqual(withoutAudit(socket.events(turnId)));
      }
      const late = await resume(fresh, turnId);
      expect((await late.untilEnd(turnId)).log).toEqual(log);
    } finally {
      await fresh.close();
    }
  });
});

/** Deleting is done behind the answer to it. */
async function untilForgotten(workflow: WorkflowHandle): Promise<void> {
  for (;;) {
    try {
      await workflow.describe();
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return;
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
