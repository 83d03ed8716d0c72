// From what an activity threw to what the user reads: every way in which a step can fail, as Temporal reports it.

import { describe, expect, test } from '@jest/globals';
import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import type { StreamFailure, StreamHeartbeat } from '../../src/protocol/activities.ts';
import { toErrorInfo } from '../../src/protocol/errors.ts';
import { unknownUsage } from '../../src/protocol/receipt.ts';
import { toStreamFailure, toTurnError } from '../../src/workflows/failures.ts';
import { activityFailure, streamFailure } from '../../testing/turns/turn-fakes.ts';

const inActivity = (cause: Error): ActivityFailure =>
  new ActivityFailure('Activity task failed', 'stream', '1', 'MAXIMUM_ATTEMPTS_REACHED', 'worker', cause);

function timeout(type: 'HEARTBEAT' | 'START_TO_CLOSE' | 'SCHEDULE_TO_CLOSE', beat?: unknown, cause?: Error): Error {
  const failure = new TimeoutFailure('activity timed out', beat, type);
  return cause === undefined ? failure : Object.assign(failure, { cause });
}

const graphAway = activityFailure('graph_unavailable');
const internal = (reason: string) => toErrorInfo('internal', { facts: { reason } });

describe('the error of a turn', () => {
  test.each<[string, unknown, ReturnType<typeof toErrorInfo>]>([
    ['a failure with its error', inActivity(graphAway), (graphAway.details as never[])[0] as never],
    ['the same outside an activity', graphAway, (graphAway.details as never[])[0] as never],
    [
      'a failure with a code and no error',
      inActivity(ApplicationFailure.create({ type: 'internal', message: 'of the failure' })),
      internal('of the failure'),
    ],
    [
      'a failure whose detail is something else',
      inActivity(ApplicationFailure.create({ type: 'internal', message: 'odd', details: [{ code: 'nonsense' }] })),
      internal('odd'),
    ],
    [
      'a bug in an activity',
      inActivity(new ApplicationFailure('x is undefined', 'TypeError')),
      internal('an unexpected error'),
    ],
    [
      'a name that objects have of themselves',
      new ApplicationFailure('x', 'toString'),
      internal('an unexpected error'),
    ],
    ['a heartbeat that stopped', inActivity(timeout('HEARTBEAT')), toErrorInfo('worker_lost')],
    ['a try that took too long', inActivity(timeout('START_TO_CLOSE')), toErrorInfo('worker_lost')],
    [
      'a deadline over tries that failed: the last failure is the cause',
      inActivity(timeout('SCHEDULE_TO_CLOSE', undefined, graphAway)),
      (graphAway.details as never[])[0] as never,
    ],
    [
      'a deadline over tries that were lost',
      inActivity(timeout('SCHEDULE_TO_CLOSE', undefined, timeout('START_TO_CLOSE'))),
      toErrorInfo('worker_lost'),
    ],
    ['something that is no error', 'thrown', internal('an unexpected error')],
    ['nothing at all', undefined, internal('an unexpected error')],
    ['a cancellation', inActivity(new CancelledFailure('cancelled')), internal('an unexpected error')],
  ])('%s', (_, thrown, error) => {
    expect(toTurnError(thrown)).toEqual(error);
  });
});

describe('what is known of a failed model call', () => {
  const beat: StreamHeartbeat = {
    step: 1,
    attempt: 1,
    after: 3,
    answer: 'twelve chars',
    reasoning: 'hm 🙂',
    loading: false,
  };

  test('is what the activity said of it, exactly', () => {
    const thrown = streamFailure('llm_stream_truncated', { shownChars: 17, loadingMs: 5 });
    expect(toStreamFailure(inActivity(thrown))).toEqual({
      ...(thrown.details as [StreamFailure])[0],
      atLeast: false,
    });
  });

  test('is what others said of it who noticed that its worker died: a lower bound', () => {
    const thrown = streamFailure('worker_lost', { shownChars: 17, atLeast: true });
    expect(toStreamFailure(inActivity(thrown))).toMatchObject({ shownChars: 17, atLeast: true });
  });

  test('is the last heartbeat when the worker died: a lower bound, in UTF-16 units of both channels', () => {
    expect(toStreamFailure(inActivity(timeout('HEARTBEAT', beat)))).toEqual({
      error: toErrorInfo('worker_lost'),
      shownChars: 12 + 5,
      loadingMs: 0,
      responseId: null,
      finishReason: null,
      usage: unknownUsage,
      backend: null,
      atLeast: true,
    });
  });

  test.each([
    ['a worker that died before its first heartbeat', timeout('HEARTBEAT'), 'worker_lost', true],
    ['a call beyond its last limit', timeout('START_TO_CLOSE', beat), 'worker_lost', true],
    ['a bug', new ApplicationFailure('x is undefined', 'TypeError'), 'internal', false],
    ['a failure without the shown text', activityFailure('graph_unavailable'), 'graph_unavailable', false],
  ])('is next to nothing after %s', (_, cause, code, atLeast) => {
    expect(toStreamFailure(inActivity(cause))).toMatchObject({ error: { code }, shownChars: 0, atLeast });
  });
});
