// The end of a turn and the graph: an answer that was shown is stored however long it takes; the record of an end
// without an answer is tried for a short while only.

import { describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { toErrorInfo } from '../../src/protocol/errors.ts';
import { recordFailureDeadlineMs, storeDeadlineMs } from '../../src/protocol/limits.ts';
import type { TurnResult } from '../../src/protocol/turn.ts';
import { failureOf, logOf, moments, toMs, typesOf } from './history.ts';
import { activityFailure, inTurn, newTurn, streamFailure } from '../../testing/turns/turn-fakes.ts';
import { type TurnUnderTest, useWorkflowRig } from './turn-under-test.ts';

const rig = useWorkflowRig();

const storedAt = '2026-01-02T03:04:05.000Z';
/** Tries of the only store of a turn, and the time from its scheduling to the start of the last of them. */
async function storeTries({ handle }: TurnUnderTest): Promise<{ tries: number; overMs: number }> {
  const scheduled = (await moments(handle, 'activityTaskScheduledEventAttributes')).at(-1);
  const started = (await moments(handle, 'activityTaskStartedEventAttributes')).at(-1);
  expect(scheduled?.attributes.activityType?.name).toBe('storeConversation');
  return { tries: started?.attributes.attempt ?? NaN, overMs: (started?.atMs ?? NaN) - (scheduled?.atMs ?? NaN) };
}
const times = <Item>(count: number, item: Item): Item[] => Array.from({ length: count }, () => item);

describe('an answer that was shown', () => {
  test('is stored when the graph comes back, once, and the turn completes at that time', async () => {
    const turn = await rig.start({
      storeConversation: inTurn(...times(30, activityFailure('graph_unavailable')), { storedAt }),
    });
    const { outcome, log } = (await turn.handle.result()) as TurnResult;
    expect(outcome).toBe('completed');
    expect(typesOf(log).filter((type) => type === 'conversation_stored')).toHaveLength(1);
    expect(log.slice(-3).map(({ time }) => time)).toEqual(times(3, storedAt));
    // 0.5, 1, 2, 4, 8 s, then 25 times 10 s.
    const { tries, overMs } = await storeTries(turn);
    expect(tries).toBe(31);
    expect(overMs).toBeGreaterThanOrEqual(265_500);
    const [scheduled] = (await moments(turn.handle, 'activityTaskScheduledEventAttributes')).slice(-1);
    expect(toMs(scheduled?.attributes.retryPolicy?.maximumInterval)).toBe(10_000);
    expect(toMs(scheduled?.attributes.scheduleToCloseTimeout)).toBe(storeDeadlineMs);
    expect(scheduled?.attributes.retryPolicy?.maximumAttempts ?? 0).toBe(0);
  });

  test('that cannot be stored in the end is a failed turn with the cause, never a completed one', async () => {
    const turn = await rig.start({
      storeConversation: inTurn(activityFailure('graph_unavailable', { retryable: false })),
    });
    const failure = await failureOf(turn.handle);
    expect(failure.type).toBe('graph_unavailable');
    expect(typesOf(logOf(failure))).toEqual([
      'turn_accepted',
      'agent_started',
      'agent_thinking',
      'agent_completed',
      'agent_failed',
      'turn_failed',
    ]);
    expect(logOf(failure).at(-1)).toMatchObject({ receipt: { outcome: 'failed', answerSha256: null } });
    expect(turn.callsOf('analyze')).toHaveLength(0);
  });

  test('that nobody could store for a day is withdrawn: the turn fails with the cause at the end of that day', async () => {
    // Tried each two hours in place of each ten seconds: the day's end is the same, and nearer.
    const refusal = ApplicationFailure.create({
      type: 'graph_unavailable',
      message: 'a test',
      details: [toErrorInfo('graph_unavailable')],
      nextRetryDelay: '2h',
    });
    const turn = await rig.start({ storeConversation: inTurn(refusal) });
    const failure = await failureOf(turn.handle);
    expect(failure.type).toBe('graph_unavailable');
    expect(typesOf(logOf(failure)).slice(-3)).toEqual(['agent_completed', 'agent_failed', 'turn_failed']);
    expect(logOf(failure).at(-1)).toMatchObject({ receipt: { outcome: 'failed', answerSha256: null } });
    const stores = (await moments(turn.handle, 'activityTaskScheduledEventAttributes')).filter(
      ({ attributes }) => attributes.activityType?.name === 'storeConversation',
    );
    // The answer's, and then the record of the failure.
    expect(stores).toHaveLength(2);
    const [first, second] = stores;
    const overMs = (second?.atMs ?? NaN) - (first?.atMs ?? NaN);
    expect(overMs).toBeGreaterThan(storeDeadlineMs - 2.5 * 60 * 60_000);
    expect(overMs).toBeLessThanOrEqual(storeDeadlineMs + 60_000);
  });

  test('whose store is refused for good ends at once', async () => {
    const turn = await rig.start({ storeConversation: inTurn(activityFailure('internal'), { storedAt }) });
    const failure = await failureOf(turn.handle);
    expect(failure.type).toBe('internal');
    // The second call is the record of that end.
    expect(turn.callsOf('storeConversation')).toHaveLength(2);
  });

  test('whose audit exists already is complete all the same', async () => {
    const { turnId } = newTurn();
    const audit = await rig.startAudit({}, { turnId });
    await audit.handle.result();
    const turn = await rig.start({}, { turnId });
    const { outcome, log } = (await turn.handle.result()) as TurnResult;
    expect(outcome).toBe('completed');
    expect(typesOf(log).slice(-2)).toEqual(['audit_started', 'turn_completed']);
    expect(turn.callsOf('analyze')).toHaveLength(0);
  });
});

describe('the record of an end without an answer', () => {
  test('is tried for 30 s; then the turn ends without it, with its own code', async () => {
    const turn = await rig.start({
      stream: inTurn(streamFailure('llm_auth')),
      storeConversation: inTurn(activityFailure('graph_unavailable')),
    });
    const failure = await failureOf(turn.handle);
    expect(failure.type).toBe('llm_auth');
    const { tries, overMs } = await storeTries(turn);
    expect(tries).toBeGreaterThan(1);
    expect(overMs).toBeLessThanOrEqual(recordFailureDeadlineMs);
  });

  test.each(['conversation_not_found', 'turn_not_found', 'turn_conflict', 'conversation_busy'] as const)(
    'is not made for a turn that was never linked: %s',
    async (code) => {
      const turn = await rig.start({ retrieveAgent: inTurn(activityFailure(code, { retryable: false })) });
      const failure = await failureOf(turn.handle);
      expect(failure.type).toBe(code);
      expect(typesOf(logOf(failure))).toEqual(['turn_accepted', 'agent_failed', 'turn_failed']);
      expect(turn.calls.map(({ name }) => name)).toEqual(['retrieveAgent', 'signReceipt']);
    },
  );

  test('is made for a turn whose agent is missing', async () => {
    const turn = await rig.start({ retrieveAgent: inTurn(activityFailure('agent_not_found')) });
    expect((await failureOf(turn.handle)).type).toBe('agent_not_found');
    expect(turn.calls.map(({ name }) => name)).toEqual(['retrieveAgent', 'signReceipt', 'storeConversation']);
  });
});

test('a graph that is away at first is asked again for a quarter of an hour; then it is the cause', async () => {
  const turn = await rig.start({ retrieveAgent: inTurn(activityFailure('graph_unavailable')) });
  expect((await failureOf(turn.handle)).type).toBe('graph_unavailable');
  expect(turn.callsOf('retrieveAgent').length).toBeGreaterThan(10);
  const [retrieved, recorded] = await moments(turn.handle, 'activityTaskScheduledEventAttributes');
  const overMs = (recorded?.atMs ?? NaN) - (retrieved?.atMs ?? NaN);
  expect(overMs).toBeGreaterThan(14 * 60_000);
  expect(overMs).toBeLessThanOrEqual(15 * 60_000 + 10_000);
  expect(turn.callsOf('stream')).toHaveLength(0);
});
