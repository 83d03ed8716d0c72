// The published boundaries of a verdict: each boundary itself belongs to the milder side.

import { describe, expect, test } from '@jest/globals';
import { toErrorInfo } from '../../src/protocol/errors.ts';
import { auditWorkflowId } from '../../src/protocol/ids.ts';
import { toAuditEvent, toVerdict } from '../../src/protocol/audit.ts';
import { newTurn } from '../../testing/turns/turn-fakes.ts';

describe('a verdict', () => {
  test.each([
    [true, 1, 'rejected'],
    [true, 0.8500001, 'rejected'],
    [true, 0.85, 'flagged'],
    [true, 0.84, 'flagged'],
    [true, 0.6000001, 'flagged'],
    [true, 0.6, 'accepted'],
    [true, 0.59, 'accepted'],
    [true, 0, 'accepted'],
    [false, 0, 'accepted'],
    [false, 0.85, 'accepted'],
    [false, 1, 'accepted'],
  ])('of an answer found incorrect: %p, with confidence %p, is %s', (isIncorrect, confidence, verdict) => {
    expect(toVerdict({ isIncorrect, confidence })).toBe(verdict);
  });
});

describe('the event of a record', () => {
  const { turnId, conversationId } = newTurn();
  const ids = { auditId: auditWorkflowId(turnId), turnId, conversationId };
  const time = '2026-01-02T03:04:05.000Z';

  test('tells the verdict', () => {
    const verdict = { verdict: 'flagged', confidence: 0.7, reason: 'a step is missing' } as const;
    expect(toAuditEvent({ ...ids, ...verdict, error: null }, time)).toEqual({
      type: 'audit_completed',
      ...ids,
      time,
      ...verdict,
    });
  });

  test('tells the error of an audit that failed, and no verdict', () => {
    const error = toErrorInfo('llm_auth');
    const record = { ...ids, verdict: 'failed', confidence: null, reason: error.message, error } as const;
    expect(toAuditEvent(record, time)).toEqual({ type: 'audit_failed', ...ids, time, error });
  });
});
