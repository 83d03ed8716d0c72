// The audit's workflow: its record says what was found, or that nothing was found and why. It waits for hours without
// holding anybody up, and its failure keeps its own face.

import { describe, expect, test } from '@jest/globals';
import type { AuditRecord } from '../../src/protocol/activities.ts';
import { failureOf, moments } from './history.ts';
import { activityFailure, analyzed, createGate, inTurn, judged } from '../../testing/turns/turn-fakes.ts';
import { type TurnUnderTest, useWorkflowRig } from './turn-under-test.ts';

const rig = useWorkflowRig();

const hourMs = 60 * 60_000;
const recorded = (audit: TurnUnderTest): AuditRecord[] =>
  audit.callsOf('enqueueRecord').map(({ input }) => input as AuditRecord);
const namesOf = (audit: TurnUnderTest): string[] => audit.calls.map(({ name }) => name);
const times = <Item>(count: number, item: Item): Item[] => Array.from({ length: count }, () => item);

describe('an audit', () => {
  test.each([
    [true, 0.9, 'rejected'],
    [true, 0.85, 'flagged'],
    [true, 0.6, 'accepted'],
    [false, 0.99, 'accepted'],
  ])('that is told %p with %p records %s', async (isIncorrect, confidence, verdict) => {
    const audit = await rig.startAudit({ callLlm: async () => judged(isIncorrect, confidence) });
    expect(await audit.handle.result()).toEqual({ verdict, confidence, reason: 'checked' });
    expect(namesOf(audit)).toEqual(['analyze', 'callLlm', 'enqueueRecord']);
    expect(recorded(audit)).toMatchObject([{ verdict, confidence, isIncorrect, error: null, model: 'fake-auditor' }]);
    const { status, searchAttributes } = await audit.handle.describe();
    expect(status.name).toBe('COMPLETED');
    expect(searchAttributes).toEqual({ CandorAuditVerdict: [verdict], CandorAuditConfidence: [confidence] });
  });

  test('of a turn without any text of a model asks no model', async () => {
    const audit = await rig.startAudit({
      analyze: async () => ({ ...analyzed, applicable: false, answerSha256: null }),
    });
    expect(await audit.handle.result()).toMatchObject({ verdict: 'not_applicable', confidence: null });
    expect(namesOf(audit)).toEqual(['analyze', 'enqueueRecord']);
  });

  test('waits for its model over hours, and then has its verdict', async () => {
    const audit = await rig.startAudit({
      callLlm: inTurn(...times(14, activityFailure('llm_unavailable')), judged(true, 0.7)),
    });
    expect(await audit.handle.result()).toMatchObject({ verdict: 'flagged' });
    expect(audit.callsOf('callLlm')).toHaveLength(15);
    expect(recorded(audit)).toHaveLength(1);
    const started = await moments(audit.handle, 'activityTaskStartedEventAttributes');
    const scheduled = await moments(audit.handle, 'activityTaskScheduledEventAttributes');
    expect(started[1]?.attributes.attempt).toBe(15);
    // 2, 4 … 1024 s, then four times half an hour.
    expect((started[1]?.atMs ?? NaN) - (scheduled[1]?.atMs ?? NaN)).toBeGreaterThanOrEqual(2_046_000 + 2 * hourMs);
  });

  test('waits for the record to be taken, and records once', async () => {
    const audit = await rig.startAudit({
      enqueueRecord: inTurn(...times(12, activityFailure('graph_unavailable')), { recordedAt: '2026-01-02T03:04:05Z' }),
    });
    expect(await audit.handle.result()).toMatchObject({ verdict: 'accepted' });
    expect(audit.callsOf('callLlm')).toHaveLength(1);
  });
});

describe('an audit without a verdict', () => {
  test('records that it failed after a day of tries, and fails with the cause', async () => {
    const audit = await rig.startAudit({ callLlm: inTurn(activityFailure('llm_unavailable')) });
    expect(await failureOf(audit.handle)).toMatchObject({ type: 'llm_unavailable', nonRetryable: true });
    expect(recorded(audit)).toMatchObject([
      { verdict: 'failed', confidence: null, isIncorrect: null, error: { code: 'llm_unavailable' }, model: null },
    ]);
    expect(audit.callsOf('callLlm').length).toBeGreaterThan(40);
    const scheduled = await moments(audit.handle, 'activityTaskScheduledEventAttributes');
    expect(scheduled.map(({ attributes }) => attributes.activityType?.name)).toEqual([
      ...['analyze', 'callLlm', 'enqueueRecord'],
    ]);
    const overMs = (scheduled[2]?.atMs ?? NaN) - (scheduled[1]?.atMs ?? NaN);
    expect(overMs).toBeGreaterThan(23 * hourMs);
    expect(overMs).toBeLessThanOrEqual(24 * hourMs + 60_000);
    const { status, searchAttributes } = await audit.handle.describe();
    expect(status.name).toBe('FAILED');
    expect(searchAttributes).toEqual({ CandorAuditVerdict: ['failed'], CandorErrorCode: ['llm_unavailable'] });
  });

  test.each(['llm_auth', 'llm_model_not_found', 'llm_quota_exhausted', 'llm_context_too_long'] as const)(
    'asks once when no repetition cures it: %s',
    async (code) => {
      const audit = await rig.startAudit({ callLlm: inTurn(activityFailure(code)) });
      expect((await failureOf(audit.handle)).type).toBe(code);
      expect(audit.callsOf('callLlm')).toHaveLength(1);
      expect(recorded(audit)).toMatchObject([{ verdict: 'failed', error: { code } }]);
    },
  );

  test('asks a model again that does not keep to the form', async () => {
    const audit = await rig.startAudit({
      callLlm: inTurn(activityFailure('llm_invalid_output'), judged(false, 0.2)),
    });
    expect(await audit.handle.result()).toMatchObject({ verdict: 'accepted' });
    expect(audit.callsOf('callLlm')).toHaveLength(2);
  });

  test('has a record too when an operator cancels it: nobody waits for what never comes', async () => {
    const gate = createGate();
    const audit = await rig.startAudit({
      analyze: async () => {
        await gate.pass();
        return analyzed;
      },
    });
    await gate.reached;
    await audit.handle.cancel();
    const failure = await failureOf(audit.handle);
    gate.open();
    expect(failure.type).toBe('internal');
    expect(recorded(audit)).toMatchObject([{ verdict: 'failed', error: { code: 'internal' } }]);
    expect(audit.callsOf('callLlm')).toHaveLength(0);
  });
});
