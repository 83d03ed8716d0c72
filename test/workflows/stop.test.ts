// A stop in every phase of a turn, by its user and by an operator in Temporal: it ends at once what can be ended, keeps
// what had come, and is too late once the answer is being stored.

import { describe, expect, test } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { StoreConversationInput } from '../../src/protocol/activities.ts';
import { toErrorInfo } from '../../src/protocol/errors.ts';
import type { SequencedEvent } from '../../src/protocol/events.ts';
import { signals, type CancelSignal, type TurnResult } from '../../src/protocol/turn.ts';
import { failureOf, moments, typesOf, untilRecorded } from './history.ts';
import {
  agentId,
  answered,
  createGate,
  inTurn,
  newTurn,
  ready,
  streamFailure,
  streamUntilStopped,
} from '../../testing/turns/turn-fakes.ts';
import { type Activities, type TurnUnderTest, useWorkflowRig } from './turn-under-test.ts';

const rig = useWorkflowRig();

const requestedAt = '2026-01-02T03:04:05.000Z';
const byUser: CancelSignal = { by: 'user', requestedAt };
const upstreamClosedAt = '2026-01-02T03:04:05.120Z';

/** Who stops a turn, and how. */
const stoppers = [
  ['user', ({ handle }: TurnUnderTest) => handle.signal(signals.cancel, byUser)],
  [
    'interrupt',
    ({ handle }: TurnUnderTest) => handle.signal(signals.interrupt, { byTurnId: newTurn().turnId, requestedAt }),
  ],
  ['operator', ({ handle }: TurnUnderTest) => handle.cancel()],
] as const;

/** Ends as cancelled: a Completed workflow whose outcome says so, never a red one. */
async function expectCancelled(turn: TurnUnderTest, by: string): Promise<TurnResult> {
  const result = (await turn.handle.result()) as TurnResult;
  expect(result.outcome).toBe('cancelled');
  expect(result.log.at(-1)).toMatchObject({ type: 'turn_cancelled', by, receipt: { outcome: 'cancelled' } });
  const { status, searchAttributes } = await turn.handle.describe();
  expect(status.name).toBe('COMPLETED');
  expect(searchAttributes).toMatchObject({ CandorOutcome: ['cancelled'] });
  expect(searchAttributes).not.toHaveProperty('CandorErrorCode');
  return result;
}

describe.each(stoppers)('a stop by %s', (by, stop) => {
  test('while the model speaks keeps what had come and says when it ended', async () => {
    const running = streamUntilStopped({ upstreamClosedAt, charsAfterStop: 3 });
    const turn = await rig.start({ stream: running.stream });
    await running.begun;
    await stop(turn);
    const { log } = await expectCancelled(turn, by);
    expect(typesOf(log)).toEqual([
      'turn_accepted',
      'agent_started',
      'agent_thinking',
      'conversation_stored',
      'audit_started',
      'turn_cancelled',
    ]);
    expect(log.at(-1)).toMatchObject({
      upstreamClosedAt,
      charsAfterStop: 3,
      receipt: { incomplete: true, attempts: [{ attempt: 1, outcome: 'stopped' }] },
    });
    const [stored] = turn.callsOf('storeConversation').map(({ input }) => input as StoreConversationInput);
    expect(stored?.answerSha256).toBe(answered().sha256);
  });

  test('before the first token leaves no text and no audit', async () => {
    const running = streamUntilStopped({ text: '', upstreamClosedAt });
    const turn = await rig.start({ stream: running.stream });
    await running.begun;
    await stop(turn);
    const { log } = await expectCancelled(turn, by);
    expect(typesOf(log)).toEqual(['turn_accepted', 'agent_started', 'agent_thinking', 'turn_cancelled']);
    expect(log.at(-1)).toMatchObject({ upstreamClosedAt, receipt: { answerSha256: null } });
    expect(turn.callsOf('analyze')).toHaveLength(0);
  });

  test('while the turn waits for its next try ends the wait', async () => {
    const turn = await rig.start({ stream: inTurn(streamFailure('llm_unavailable'), answered()) });
    await turn.until('attempt_failed');
    await stop(turn);
    const { log } = await expectCancelled(turn, by);
    expect(typesOf(log).slice(-2)).toEqual(['attempt_failed', 'turn_cancelled']);
    expect(log.at(-1)).toMatchObject({ upstreamClosedAt: null, charsAfterStop: null });
    expect(turn.callsOf('stream')).toHaveLength(1);
    expect(await moments(turn.handle, 'timerCanceledEventAttributes')).toHaveLength(1);
    expect(await moments(turn.handle, 'timerFiredEventAttributes')).toHaveLength(0);
  });

  test('while the graph is asked calls no model', async () => {
    const gate = createGate();
    const turn = await rig.start({
      retrieveAgent: async () => {
        await gate.pass();
        return ready();
      },
    });
    await gate.reached;
    await stop(turn);
    await untilRecorded(turn.handle, 'activityTaskCancelRequestedEventAttributes');
    gate.open();
    const { log } = await expectCancelled(turn, by);
    expect(typesOf(log)).toEqual(['turn_accepted', 'turn_cancelled']);
    expect(turn.calls.map(({ name }) => name)).toEqual(['retrieveAgent', 'signReceipt', 'storeConversation']);
  });

  test('while it waits for another turn ends the wait', async () => {
    const sleeping = await rig.startSleeping();
    const turn = await rig.start({
      retrieveAgent: async () => ({ kind: 'busy', behind: sleeping.input.turnId, linked: true }),
    });
    await turn.until('turn_queued');
    await stop(turn);
    const { log } = await expectCancelled(turn, by);
    expect(typesOf(log)).toEqual(['turn_accepted', 'turn_queued', 'turn_cancelled']);
    await sleeping.handle.terminate();
  });

  test('while the answer is being stored is too late: the turn completes', async () => {
    const gate = createGate();
    const turn = await rig.start({
      storeConversation: async () => {
        await gate.pass();
        return { storedAt: requestedAt };
      },
    });
    await gate.reached;
    await stop(turn);
    gate.open();
    expect(((await turn.handle.result()) as TurnResult).outcome).toBe('completed');
    expect(turn.callsOf('storeConversation')).toHaveLength(1);
    expect((await turn.handle.describe()).status.name).toBe('COMPLETED');
  });

  test('that meets a model call which breaks is a stop all the same, and the receipt lists the call', async () => {
    const gate = createGate();
    const turn = await rig.start({
      stream: async () => {
        const context = Context.current();
        const timer = setInterval(() => context.heartbeat(), 50);
        void gate.pass();
        try {
          return await context.cancelled;
        } catch (error) {
          if (!(error instanceof CancelledFailure)) throw error;
          throw streamFailure('worker_lost');
        } finally {
          clearInterval(timer);
        }
      },
    });
    await gate.reached;
    await stop(turn);
    const { log } = await expectCancelled(turn, by);
    expect(typesOf(log)).toEqual(['turn_accepted', 'agent_started', 'agent_thinking', 'turn_cancelled']);
    expect(log.at(-1)).toMatchObject({ receipt: { attempts: [{ outcome: 'failed', errorCode: 'worker_lost' }] } });
  });

  test.each([
    ['in so many characters', { shownChars: 12 }, { discardedChars: 12 }],
    [
      'as at least so many when its worker died',
      { shownChars: 0, atLeast: true },
      { discardedChars: 0, atLeast: true },
    ],
  ] as const)('withdraws what a call showed that broke meanwhile, %s', async (_, failure, discarded) => {
    const gate = createGate();
    const turn = await rig.start({
      stream: async () => {
        const context = Context.current();
        const timer = setInterval(() => context.heartbeat(), 50);
        void gate.pass();
        try {
          return await context.cancelled;
        } catch (error) {
          if (!(error instanceof CancelledFailure)) throw error;
          throw streamFailure('worker_lost', failure);
        } finally {
          clearInterval(timer);
        }
      },
    });
    await gate.reached;
    await stop(turn);
    const { log } = await expectCancelled(turn, by);
    expect(typesOf(log)).toEqual([
      'turn_accepted',
      'agent_started',
      'agent_thinking',
      'agent_failed',
      'turn_cancelled',
    ]);
    expect(log.at(-2)).toMatchObject({ step: 1, attempt: 1, ...discarded, error: { code: 'worker_lost', attempt: 1 } });
    expect('atLeast' in (log.at(-2) ?? {})).toBe('atLeast' in discarded);
    expect(log.at(-1)).toMatchObject({ upstreamClosedAt: null, charsAfterStop: null });
  });
});

describe('a stop', () => {
  test('that arrives before the first step is the end of a turn that called nothing', async () => {
    const turn = await rig.startWithSignal(signals.cancel, byUser);
    const { log } = await expectCancelled(turn, 'user');
    expect(typesOf(log)).toEqual(['turn_accepted', 'turn_cancelled']);
    expect(log.at(-1)).toMatchObject({ requestedAt, upstreamClosedAt: null, charsAfterStop: null });
    expect(turn.callsOf('retrieveAgent')).toHaveLength(0);
  });

  test('is the first one that came: later ones do not change who asked', async () => {
    const running = streamUntilStopped();
    const turn = await rig.start({ stream: running.stream });
    await running.begun;
    await turn.handle.signal(signals.cancel, byUser);
    await turn.handle.signal(signals.interrupt, {
      byTurnId: newTurn().turnId,
      requestedAt: '2027-01-01T00:00:00.000Z',
    });
    await turn.handle.cancel();
    const { log } = await expectCancelled(turn, 'user');
    expect(log.at(-1)).toMatchObject({ requestedAt });
  });

  test('by an operator does not lose those who ask for the end while it is told', async () => {
    const running = streamUntilStopped({ text: '' });
    const gate = createGate();
    const turn = await rig.start({
      stream: running.stream,
      storeConversation: async () => {
        await gate.pass();
        return { storedAt: requestedAt };
      },
    });
    const follow = () => turn.handle.signal(signals.follow, { turnId: newTurn().turnId });
    await running.begun;
    await turn.handle.cancel();
    await gate.reached;
    await Promise.all(Array.from({ length: 10 }, follow));
    gate.open();
    // Followers go on asking until the workflow is closed: some of them meet it between its end and its close.
    await Promise.allSettled(Array.from({ length: 20 }, follow));
    await expectCancelled(turn, 'operator');
  });
});

describe('a turn that the graph knows as finished', () => {
  const { turnId, conversationId, text } = newTurn();
  const envelope = { turnId, conversationId, time: requestedAt };
  const accepted: SequencedEvent = { type: 'turn_accepted', ...envelope, seq: 1, agentId, text };
  const finished = (result: TurnResult): Partial<Activities> => ({
    retrieveAgent: async () => ({ kind: 'finished', result }),
  });

  test('ends as it ended before, and calls nothing else', async () => {
    const receipt = { outcome: 'completed' } as never;
    const result: TurnResult = {
      outcome: 'completed',
      log: [accepted, { type: 'turn_completed', ...envelope, seq: 2, receipt }],
    };
    const turn = await rig.start(finished(result));
    expect(await turn.handle.result()).toEqual(result);
    expect(turn.calls.map(({ name }) => name)).toEqual(['retrieveAgent']);
  });

  test('fails as it failed before', async () => {
    const error = toErrorInfo('llm_auth');
    const result: TurnResult = {
      outcome: 'failed',
      log: [accepted, { type: 'turn_failed', ...envelope, seq: 2, error, receipt: null }],
    };
    const turn = await rig.start(finished(result));
    expect(await failureOf(turn.handle)).toMatchObject({ type: 'llm_auth', details: [result] });
    expect(turn.calls.map(({ name }) => name)).toEqual(['retrieveAgent']);
  });
});
