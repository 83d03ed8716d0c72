import { describe, expect, test } from '@jest/globals';
import { applyEvents, emptyTranscript } from '../../src/protocol/transcript.ts';
import type { RecordedCall } from '../../testing/upstream/upstream.ts';
import { toValidTurn } from '../testing/valid-turns.ts';
import { phaseOf, type Phase } from './phase.ts';

const { events } = toValidTurn(
  { queuedBehind: 0, model: 'm', steps: [{ attempts: 1, completes: true }], end: 'completed' },
  new Map([['1/1/answer', ['one ', 'two']]]),
);
const told = (count: number) => applyEvents(emptyTranscript, events.slice(0, count));
const call = (written: readonly string[], endedAt: number | null, closedAt: number | null = null): RecordedCall =>
  ({ written, endedAt, closedAt }) as RecordedCall;

describe('the phase of a turn at an instant', () => {
  test.each<[Phase | null, number, readonly RecordedCall[], readonly RecordedCall[]]>([
    ['before accepted', 0, [], []],
    ['retrieving', 1, [], []],
    ['retrieving', 2, [], []],
    ['thinking', 3, [], []],
    ['thinking', 1, [call([], null)], []],
    ['streaming', 1, [call(['one '], null)], []],
    ['streaming', 1, [call([], 1), call(['one '], null)], []],
    ['backing off', 3, [call([], 1)], []],
    ['backing off', 3, [call(['one '], null, 1)], []],
    ['storing', 3, [call(['one ', 'two'], 1)], []],
    ['after the end', events.length, [call(['one ', 'two'], 1)], []],
    ['after the end', events.length, [call(['one ', 'two'], 1)], [call([], null)]],
    [null, events.length, [call(['one ', 'two'], 1)], [call(['{}'], 1)]],
  ])('%s', (wanted, count, calls, auditCalls) => {
    expect(phaseOf({ transcript: told(count), calls, auditCalls })).toBe(wanted);
  });
});
