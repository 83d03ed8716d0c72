// The published retry schedule, row by row: who changes a number here changes the contract.

import { describe, expect, test } from '@jest/globals';
import { errorCatalogue, toErrorInfo, type ErrorCode } from '../../src/protocol/errors.ts';
import { nextRetryMs, type RetryQuestion } from '../../src/workflows/retry-schedule.ts';

const ask = (overrides: Partial<RetryQuestion> = {}): number | null =>
  nextRetryMs({
    error: toErrorInfo('llm_unavailable'),
    attempt: 1,
    maxAttempts: 100,
    remainingMs: 900_000,
    random: 0.5,
    ...overrides,
  });

const almostOne = 1 - Number.EPSILON;

describe('the wait before the next try', () => {
  test.each([
    [1, 800, 1_000, 1_200],
    [2, 1_600, 2_000, 2_400],
    [3, 3_200, 4_000, 4_800],
    [4, 6_400, 8_000, 9_600],
    [5, 12_800, 16_000, 19_200],
    [6, 24_000, 30_000, 36_000],
    [7, 24_000, 30_000, 36_000],
    [60, 24_000, 30_000, 36_000],
  ])('after try %i is between %i and %i ms around %i', (attempt, leastMs, middleMs, mostMs) => {
    expect(ask({ attempt, random: 0 })).toBe(leastMs);
    expect(ask({ attempt, random: 0.5 })).toBe(middleMs);
    expect(ask({ attempt, random: almostOne })).toBe(mostMs);
  });

  test.each([
    ['a longer Retry-After wins', 7_000, 7_000],
    ['a shorter Retry-After loses', 300, 1_000],
    ['a Retry-After of nothing changes nothing', 0, 1_000],
  ])('%s', (_, retryAfterMs, waitMs) => {
    expect(ask({ error: toErrorInfo('llm_rate_limited', { retryAfterMs }) })).toBe(waitMs);
  });

  test('is a whole number of milliseconds', () => {
    expect(ask({ random: 1 / 3 })).toBe(933);
  });

  test('is nothing when the worker died: not the model needs the rest', () => {
    expect(ask({ error: toErrorInfo('worker_lost'), attempt: 3, random: almostOne })).toBe(0);
  });
});

describe('there is no next try', () => {
  test.each([
    [3, 4, 4_000],
    [4, 4, null],
    [5, 4, null],
    [1, 1, null],
    [7, 8, 30_000],
  ])('after try %i of %i: %p', (attempt, maxAttempts, waitMs) => {
    expect(ask({ attempt, maxAttempts })).toBe(waitMs);
  });

  test.each([
    [1_001, 1_000],
    [1_000, null],
    [999, null],
    [0, null],
    [-5_000, null],
  ])('with %i ms until the deadline and a wait of 1,000: %p', (remainingMs, waitMs) => {
    expect(ask({ remainingMs })).toBe(waitMs);
  });

  test('when Retry-After lies beyond the deadline', () => {
    const error = toErrorInfo('llm_rate_limited', { retryAfterMs: 60_000 });
    expect(ask({ error, remainingMs: 60_001 })).toBe(60_000);
    expect(ask({ error, remainingMs: 60_000 })).toBeNull();
  });

  test('past the deadline even when the worker died', () => {
    expect(ask({ error: toErrorInfo('worker_lost'), remainingMs: 0 })).toBeNull();
  });

  const codes = Object.keys(errorCatalogue) as ErrorCode[];
  test.each(codes.filter((code) => !errorCatalogue[code].retryable))('after %s', (code) => {
    expect(ask({ error: toErrorInfo(code) })).toBeNull();
  });

  test('when this very failure says so, whatever its code says in general', () => {
    expect(ask({ error: toErrorInfo('llm_unavailable', { retryable: false }) })).toBeNull();
    expect(ask({ error: toErrorInfo('llm_auth', { retryable: true }) })).toBe(1_000);
  });
});
