// What the live lane shows is provisional. It may be taken back by a workflow task that has to be done again, lost,
// repeated or come in any order: readers end with the log of the workflow and one terminal event.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { isTerminal, type TurnEvent } from '../../src/protocol/events.ts';
import { turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import type { LiveLane } from '../../src/protocol/ports.ts';
import { answerOf, terminalOf, type Transcript } from '../../src/protocol/transcript.ts';
import { signals, toLogged, type CancelSignal, type TurnResult } from '../../src/protocol/turn.ts';
import type { ChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { answer, refuse, resetAfter } from '../../testing/upstream/upstream.ts';
import { createReplies, questionOf, type Replies } from './replies.ts';
import { createSeededRandom, type Random } from './seeded-random.ts';

const handleOf = (stack: Stack, turnId: TurnId) => stack.client.workflow.getHandle(turnWorkflowId(turnId));

async function resultOf(stack: Stack, turnId: TurnId): Promise<TurnResult> {
  try {
    return (await handleOf(stack, turnId).result()) as TurnResult;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    return error.cause.details?.[0] as TurnResult;
  }
}

/** The reader ended as the workflow did, and saw one end. */
async function expectTheLog(stack: Stack, socket: ChatClient, transcript: Transcript): Promise<void> {
  const turnId = transcript.turnId as TurnId;
  const { log } = await resultOf(stack, turnId);
  expect(transcript.log.map(toLogged)).toEqual(log);
  expect(transcript.ahead).toEqual([]);
  expect(socket.events(turnId).filter(isTerminal)).toHaveLength(1);
}

describe('a signal from inside the sink, at the last workflow task', () => {
  /** Sends the signal and lets the task go on only when the server has it: the task’s completion is then refused. */
  const armed = new Map<TurnId, TurnEvent['type']>();
  let stack: Stack;
  let replies: Replies;
  let ada: ChatClient;
  beforeAll(async () => {
    const signal = async (event: TurnEvent): Promise<void> => {
      const cancel: CancelSignal = { by: 'user', requestedAt: new Date().toISOString() };
      await handleOf(stack, event.turnId).signal(signals.cancel, cancel);
    };
    const lane = (inner: LiveLane): LiveLane => ({
      ...inner,
      publish(event): void {
        inner.publish(event);
        if (armed.get(event.turnId) !== event.type) return;
        armed.delete(event.turnId);
        // Nobody waits for a lane, but a worker waits for what its sink returns.
        const sent: unknown = signal(event);
        return sent as void;
      },
    });
    stack = await startStack({ decorate: { lane } });
    replies = createReplies(stack.upstream);
    ada = await stack.connect();
  });
  afterAll(() => stack.close());

  async function expectRetriedTask(turnId: TurnId): Promise<void> {
    const { events = [] } = await handleOf(stack, turnId).fetchHistory();
    expect(events?.filter((event) => event.workflowTaskFailedEventAttributes != null)).not.toHaveLength(0);
  }

  test('comes too late for a stored answer: it stays, with one terminal', async () => {
    const turnId = newTurnId();
    armed.set(turnId, 'audit_started');
    ada.message(turnId, newConversationId(), questionOf(turnId));
    const transcript = await ada.untilEnd(turnId);
    expect(terminalOf(transcript)?.type).toBe('turn_completed');
    await expectTheLog(stack, ada, transcript);
    await expectRetriedTask(turnId);
    expect(replies.calls(questionOf(turnId))).toHaveLength(1);
  });

  test('turns a failure that was shown into a stop: the log corrects what was shown under the same seq', async () => {
    const conversationId = newConversationId();
    const owned = newTurnId();
    ada.message(owned, conversationId, questionOf(owned));
    await ada.untilEnd(owned);
    const eve = await stack.connect({ user: 'eve' });
    const turnId = newTurnId();
    armed.set(turnId, 'agent_failed');
    eve.message(turnId, conversationId, questionOf(turnId));
    const shown = await eve.untilEvent(turnId, 'agent_failed');
    const transcript = await eve.untilEnd(turnId);
    const terminal = terminalOf(transcript);
    expect(terminal).toMatchObject({ type: 'turn_cancelled', seq: shown.seq });
    await expectTheLog(stack, eve, transcript);
    await expectRetriedTask(turnId);
    const late = await stack.connect({ user: 'eve' });
    late.send({ type: 'resume', turnId });
    expect((await late.untilEnd(turnId)).log).toEqual(transcript.log);
  });
});

describe('a lane that loses, repeats and reorders', () => {
  const lies = new Map<TurnId, (event: TurnEvent, publish: (event: TurnEvent) => void) => void>();
  let stack: Stack;
  let replies: Replies;
  beforeAll(async () => {
    stack = await startStack({
      decorate: {
        lane: (inner) => ({
          ...inner,
          publish(event) {
            const lie = lies.get(event.turnId);
            if (lie === undefined) inner.publish(event);
            else lie(event, (late) => inner.publish(late));
          },
        }),
      },
    });
    replies = createReplies(stack.upstream);
  });
  afterAll(() => stack.close());

  const chunks = Array.from({ length: 40 }, (_, n) => `word ${n} 🙂 `);
  const reasoning = Array.from({ length: 20 }, (_, n) => `thought ${n}, `);

  function createLiar(random: Random) {
    const kept: TurnEvent[] = [];
    return (event: TurnEvent, publish: (event: TurnEvent) => void): void => {
      const fate = random();
      if (fate < 0.2) return;
      if (fate < 0.45) kept.push(event);
      else publish(event);
      if (fate > 0.8) publish(event);
      if (random() < 0.3) for (const late of kept.splice(0).reverse()) publish(late);
    };
  }

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('still gives the exact transcript and one terminal (seed %i)', async (seed) => {
    const turnId = newTurnId();
    lies.set(turnId, createLiar(createSeededRandom(seed)));
    const whole = answer(chunks, { reasoning });
    if (seed % 4 === 0) replies.to(questionOf(turnId), resetAfter(chunks.slice(0, 9), { reasoning }), whole);
    else if (seed % 4 === 1) replies.to(questionOf(turnId), resetAfter(chunks.slice(0, 9)), refuse(401));
    else replies.to(questionOf(turnId), whole);
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    const transcript = await ada.untilEnd(turnId);
    await expectTheLog(stack, ada, transcript);
    if (seed % 4 === 1) return expect(terminalOf(transcript)).toMatchObject({ error: { code: 'llm_auth' } });
    expect(answerOf(transcript)).toBe(chunks.join(''));
    // Reasoning has no hash to be checked by: what the lane lost of it is missing, what is shown is true.
    const thoughts = transcript.streams.find((s) => s.channel === 'reasoning' && s.state === 'final')?.text ?? '';
    expect(reasoning.join('').startsWith(thoughts)).toBe(true);
    const late = await stack.connect();
    late.send({ type: 'resume', turnId });
    const again = await late.untilEnd(turnId);
    expect(again.log).toEqual(transcript.log);
    expect(answerOf(again)).toBe(answerOf(transcript));
  });

  test('that gives nothing at all still shows the text while it grows, and the end', async () => {
    const turnId = newTurnId();
    lies.set(turnId, () => undefined);
    const valve = replies.held(questionOf(turnId), ['grows ', 'slowly']);
    valve.pass(1);
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    expect(await ada.untilEvent(turnId, 'delta')).toMatchObject({ offset: 0, text: 'grows ' });
    valve.open();
    const transcript = await ada.untilEnd(turnId);
    expect(answerOf(transcript)).toBe('grows slowly');
    await expectTheLog(stack, ada, transcript);
  });

  test('that is late by a whole turn changes nothing any more', async () => {
    const turnId = newTurnId();
    const late: (() => void)[] = [];
    lies.set(turnId, (event, publish) => {
      publish(event);
      late.push(() => publish(event));
    });
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    const transcript = await ada.untilEnd(turnId);
    const shown = (): readonly TurnEvent[] => ada.events(turnId).filter((event) => !event.type.startsWith('audit_'));
    const before = [...shown()];
    for (const again of late) again();
    // Frames of one socket keep their order: what the late events caused would come before another turn's.
    const other = newTurnId();
    ada.message(other, newConversationId(), questionOf(other));
    await ada.untilEnd(other);
    expect(shown()).toEqual(before);
    expect(ada.transcript(turnId).log).toEqual(transcript.log);
  });
});
