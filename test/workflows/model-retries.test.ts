// The retries of a model call, in a real workflow whose timers are skipped: what the user is told is what was waited.

import { describe, expect, test } from '@jest/globals';
import { Context } from '@temporalio/activity';
import type { StreamHeartbeat, StreamInput } from '../../src/protocol/activities.ts';
import type { AttemptFailed } from '../../src/protocol/events.ts';
import { maxEventsPerTurn } from '../../src/protocol/limits.ts';
import type { LoggedEvent, TurnResult } from '../../src/protocol/turn.ts';
import { failureOf, logOf, moments, toMs, typesOf } from './history.ts';
import { answered, inTurn, ready, streamFailure } from '../../testing/turns/turn-fakes.ts';
import { type TurnUnderTest, useWorkflowRig } from './turn-under-test.ts';

const rig = useWorkflowRig();

const attemptsFailed = (log: readonly LoggedEvent[]): AttemptFailed[] =>
  log.flatMap((event) => (event.type === 'attempt_failed' ? [event] : []));
const saidMs = ({ retryAt, time }: AttemptFailed): number => Date.parse(retryAt) - Date.parse(time);
/** What the timers were set to, and how long each really took. */
async function waits({ handle }: TurnUnderTest): Promise<{ setMs: number; tookMs: number }[]> {
  const fired = await moments(handle, 'timerFiredEventAttributes');
  return (await moments(handle, 'timerStartedEventAttributes')).map(({ atMs, attributes }) => ({
    setMs: toMs(attributes.startToFireTimeout),
    tookMs: (fired.find((f) => f.attributes.timerId === attributes.timerId)?.atMs ?? NaN) - atMs,
  }));
}

describe('a model call that fails', () => {
  test('is tried again after 1, 2 and 4 s, and each failure said when', async () => {
    const turn = await rig.start({
      stream: inTurn(
        streamFailure('llm_unavailable'),
        streamFailure('llm_stream_truncated', { shownChars: 12 }),
        streamFailure('llm_timeout'),
        answered(),
      ),
    });
    const { outcome, log } = (await turn.handle.result()) as TurnResult;
    expect(outcome).toBe('completed');
    expect(typesOf(log)).toEqual([
      'turn_accepted',
      'agent_started',
      ...['agent_thinking', 'attempt_failed', 'agent_thinking', 'attempt_failed', 'agent_thinking', 'attempt_failed'],
      'agent_thinking',
      'agent_completed',
      'conversation_stored',
      'audit_started',
      'turn_completed',
    ]);
    const failed = attemptsFailed(log);
    expect(failed).toMatchObject([
      { attempt: 1, maxAttempts: 4, error: { code: 'llm_unavailable', attempt: 1 }, discardedChars: 0 },
      { attempt: 2, maxAttempts: 4, error: { code: 'llm_stream_truncated', attempt: 2 }, discardedChars: 12 },
      { attempt: 3, maxAttempts: 4, error: { code: 'llm_timeout', attempt: 3 }, discardedChars: 0 },
    ]);
    const waited = await waits(turn);
    expect(waited.map(({ setMs }) => setMs)).toEqual(failed.map(saidMs));
    [1_000, 2_000, 4_000].forEach((middleMs, index) => {
      const { setMs = NaN, tookMs = NaN } = waited[index] ?? {};
      expect(setMs).toBeGreaterThanOrEqual(0.8 * middleMs);
      expect(setMs).toBeLessThanOrEqual(1.2 * middleMs);
      expect(tookMs).toBeGreaterThanOrEqual(setMs);
    });
    expect(turn.callsOf('stream').map(({ input }) => (input as StreamInput).attempt)).toEqual([1, 2, 3, 4]);
    expect(turn.callsOf('stream').map(({ input }) => (input as StreamInput).after)).toEqual([3, 5, 7, 9]);
  });

  test('ends the turn with its last cause when its tries are used up, and the workflow fails with that code', async () => {
    const turn = await rig.start({
      stream: inTurn(
        streamFailure('llm_unavailable'),
        streamFailure('llm_rate_limited'),
        streamFailure('llm_unavailable'),
        streamFailure('llm_timeout', { shownChars: 3 }),
      ),
    });
    const failure = await failureOf(turn.handle);
    expect(failure).toMatchObject({ type: 'llm_timeout', nonRetryable: true });
    const log = logOf(failure);
    expect(typesOf(log).slice(-2)).toEqual(['agent_failed', 'turn_failed']);
    expect(log.at(-2)).toMatchObject({ attempt: 4, discardedChars: 3, error: { code: 'llm_timeout', attempt: 4 } });
    expect(log.at(-1)).toMatchObject({
      error: { code: 'llm_timeout' },
      receipt: {
        outcome: 'failed',
        answerSha256: null,
        attempts: ['llm_unavailable', 'llm_rate_limited', 'llm_unavailable', 'llm_timeout'].map((errorCode, index) => ({
          attempt: index + 1,
          outcome: 'failed',
          errorCode,
        })),
      },
    });
    expect(turn.callsOf('stream')).toHaveLength(4);
    expect(turn.callsOf('storeConversation')).toHaveLength(1);
    expect(turn.callsOf('analyze')).toHaveLength(0);
    const { status, searchAttributes } = await turn.handle.describe();
    expect(status.name).toBe('FAILED');
    expect(searchAttributes).toMatchObject({ CandorOutcome: ['failed'], CandorErrorCode: ['llm_timeout'] });
  });

  test('is not tried again when no repetition cures it', async () => {
    const turn = await rig.start({ stream: inTurn(streamFailure('llm_auth')) });
    const failure = await failureOf(turn.handle);
    expect(failure.type).toBe('llm_auth');
    expect(typesOf(logOf(failure))).toEqual([
      'turn_accepted',
      'agent_started',
      'agent_thinking',
      'agent_failed',
      'turn_failed',
    ]);
    expect(turn.callsOf('stream')).toHaveLength(1);
    expect(await waits(turn)).toEqual([]);
  });

  test('waits as long as the backend asked for', async () => {
    const turn = await rig.start({
      stream: inTurn(streamFailure('llm_rate_limited', { retryAfterMs: 90_000 }), answered()),
    });
    const { log } = (await turn.handle.result()) as TurnResult;
    expect(attemptsFailed(log).map(saidMs)).toEqual([90_000]);
    const [waited] = await waits(turn);
    expect(waited?.setMs).toBe(90_000);
    expect(waited?.tookMs).toBeGreaterThanOrEqual(90_000);
  });

  test('ends the turn at once when the backend asks for more than the turn has left', async () => {
    const turn = await rig.start({
      stream: inTurn(streamFailure('llm_rate_limited', { retryAfterMs: 16 * 60_000 }), answered()),
    });
    const failure = await failureOf(turn.handle);
    expect(failure.type).toBe('llm_rate_limited');
    expect(turn.callsOf('stream')).toHaveLength(1);
    expect(await waits(turn)).toEqual([]);
  });

  test('has as many tries as its agent says, the waits growing to 30 s', async () => {
    const turn = await rig.start({
      retrieveAgent: async () => ready({ maxAttempts: 8 }),
      stream: inTurn(streamFailure('llm_unavailable')),
    });
    const failure = await failureOf(turn.handle);
    expect(failure.type).toBe('llm_unavailable');
    expect(turn.callsOf('stream')).toHaveLength(8);
    const waited = (await waits(turn)).map(({ setMs }) => setMs);
    [1, 2, 4, 8, 16, 30, 30].forEach((seconds, index) => {
      expect(waited[index]).toBeGreaterThanOrEqual(800 * seconds);
      expect(waited[index]).toBeLessThanOrEqual(1_200 * seconds);
    });
    expect(waited).toHaveLength(7);
  });

  test('has no more tries than fit before the deadline; the last cause is the code', async () => {
    const turn = await rig.start({
      retrieveAgent: async () => ready({ turnMs: 2_000 }),
      stream: inTurn(streamFailure('llm_unavailable'), streamFailure('llm_stream_truncated')),
    });
    const failure = await failureOf(turn.handle);
    expect(failure.type).toBe('llm_stream_truncated');
    expect(turn.callsOf('stream')).toHaveLength(2);
  });

  test('does not pay for the time in which its model was loading', async () => {
    const turn = await rig.start({
      retrieveAgent: async () => ready({ turnMs: 2_000 }),
      stream: inTurn(streamFailure('llm_unavailable', { loadingMs: 3_600_000 }), streamFailure('llm_unavailable')),
    });
    await failureOf(turn.handle);
    expect(turn.callsOf('stream')).toHaveLength(4);
  });

  test('ends with the cause that came last when that one asks for more than the turn has left', async () => {
    const turn = await rig.start({
      retrieveAgent: async () => ready({ turnMs: 60_000 }),
      stream: inTurn(
        streamFailure('llm_unavailable'),
        streamFailure('llm_rate_limited', { retryAfterMs: 20_000 }),
        streamFailure('llm_rate_limited', { retryAfterMs: 50_000 }),
        answered(),
      ),
    });
    const failure = await failureOf(turn.handle);
    expect(failure.type).toBe('llm_rate_limited');
    expect(attemptsFailed(logOf(failure)).map(({ error }) => error.code)).toEqual([
      'llm_unavailable',
      'llm_rate_limited',
    ]);
    expect(turn.callsOf('stream')).toHaveLength(3);
    const waited = await waits(turn);
    expect(waited.map(({ setMs }) => setMs).slice(1)).toEqual([20_000]);
    // What was waited is what the turn has no more.
    const remaining = turn.callsOf('stream').map(({ input }) => (input as StreamInput).remainingMs);
    expect(remaining[0]).toBe(60_000);
    expect(remaining[2]).toBeLessThanOrEqual(60_000 - 20_000 - 800);
  });

  test('names the support of the user’s tier in every error of the turn, and nothing when there is none', async () => {
    const support = 'https://example.com/help';
    const stream = inTurn(streamFailure('llm_unavailable'), streamFailure('llm_auth'));
    const named = await rig.start({ retrieveAgent: async () => ready({ support }), stream });
    const log = logOf(await failureOf(named.handle));
    const errors = log.flatMap((event) => ('error' in event && event.error !== undefined ? [event.error] : []));
    expect(errors.map(({ code }) => code)).toEqual(['llm_unavailable', 'llm_auth', 'llm_auth']);
    for (const error of errors) expect(error.support).toBe(support);
    const plain = await rig.start({ stream: inTurn(streamFailure('llm_auth')) });
    expect(JSON.stringify(logOf(await failureOf(plain.handle)))).not.toContain('support');
  });

  test('is told to the live lane as it goes, all but the end', async () => {
    const turn = await rig.start({ stream: inTurn(streamFailure('llm_unavailable'), answered()) });
    const { log } = (await turn.handle.result()) as TurnResult;
    const told = turn.published.map((event) => event.seq);
    expect([...new Set(told)]).toEqual(log.slice(0, -1).map((event) => event.seq));
    expect(typesOf(turn.published)).not.toContain('turn_completed');
  });
});

describe('a worker that dies in a model call', () => {
  test('leaves its last heartbeat as a lower bound, and the next try begins at once', async () => {
    const beat: StreamHeartbeat = {
      ...{ step: 1, attempt: 1, after: 3, loading: false },
      answer: 'Restart it',
      reasoning: 'hm',
    };
    let calls = 0;
    const turn = await rig.start({
      stream: async () => {
        if (++calls > 1) return answered();
        Context.current().heartbeat(beat);
        return Context.current().cancelled;
      },
    });
    const { log } = (await turn.handle.result()) as TurnResult;
    const [failed] = attemptsFailed(log);
    expect(failed).toMatchObject({ error: { code: 'worker_lost' }, discardedChars: 12, atLeast: true });
    expect(failed?.retryAt).toBe(failed?.time);
    expect(await waits(turn)).toEqual([]);
  });
});

describe('a turn with more events than a turn may have', () => {
  test('still says how it ended', async () => {
    const turn = await rig.start({
      retrieveAgent: async () => ready({ maxAttempts: maxEventsPerTurn }),
      stream: inTurn(streamFailure('worker_lost')),
    });
    const failure = await failureOf(turn.handle);
    expect(failure.type).toBe('internal');
    const log = logOf(failure);
    expect(log.length).toBeLessThanOrEqual(maxEventsPerTurn);
    expect(typesOf(log).slice(-2)).toEqual(['agent_failed', 'turn_failed']);
  }, 120_000);
});
