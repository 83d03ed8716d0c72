// What a backend asks for in Retry-After, in each of its three forms, is kept to; a backend that asks for more than the
// turn has left ends it at once, with its own cause (C5).

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AttemptFailed } from '../../src/protocol/events.ts';
import { answer, refuse, type Behaviour } from '../../testing/upstream/upstream.ts';
import {
  expectHonesty,
  expectNextWorks,
  expectNoAnswer,
  expectTries,
  startFailureRig,
  type FailingTurn,
  type FailureRig,
} from './failure-rig.ts';

const limited = (status: number, headers: Readonly<Record<string, string>>): Behaviour =>
  refuse(status, { error: { code: 'rate_limit_exceeded', type: 'requests', message: 'slower' } }, headers);
const dateMs = Math.ceil(Date.now() / 1_000) * 1_000 + 10_000;

const backends = {
  seconds: limited(429, { 'retry-after': '3' }),
  milliseconds: limited(429, { 'retry-after': '7', 'retry-after-ms': '2250' }),
  date: limited(429, { 'retry-after': new Date(dateMs).toUTCString() }),
  busy: limited(503, { 'retry-after': '2' }),
  unreadable: limited(429, { 'retry-after': 'soon' }),
  patience: limited(429, { 'retry-after': '3600' }),
};
type Name = keyof typeof backends;

let rig: FailureRig;
const turns = new Map<string, FailingTurn>();
beforeAll(async () => {
  rig = await startFailureRig();
  await Promise.all(
    Object.entries(backends).map(async ([name, backend]) => {
      turns.set(name, await rig.run('patient', [backend, answer('now')]));
    }),
  );
}, 120_000);
afterAll(() => rig.close());

const turnOf = (name: Name): FailingTurn => {
  const turn = turns.get(name);
  if (turn === undefined) throw new Error(`no turn was run for ${name}`);
  return turn;
};
const firstFailure = ({ log }: FailingTurn): AttemptFailed | undefined =>
  log.find((event) => event.type === 'attempt_failed');

describe('the next call', () => {
  test('comes so many seconds later as Retry-After says', () => {
    const turn = turnOf('seconds');
    expectTries(turn, ['llm_rate_limited', null]);
    expect(firstFailure(turn)?.error).toMatchObject({ retryAfterMs: 3_000, upstream: { status: 429 } });
  });

  test('comes so many milliseconds later as retry-after-ms says, which is the more exact one', () => {
    const turn = turnOf('milliseconds');
    expectTries(turn, ['llm_rate_limited', null]);
    expect(firstFailure(turn)?.error.retryAfterMs).toBe(2_250);
  });

  test('does not come before the date that Retry-After names', () => {
    const turn = turnOf('date');
    expectTries(turn, ['llm_rate_limited', null]);
    expect(turn.calls[1]?.receivedAt).toBeGreaterThanOrEqual(dateMs);
    expect(firstFailure(turn)?.error.retryAfterMs).toBeDefined();
  });

  test('comes when a server that is only busy says so', () => {
    const turn = turnOf('busy');
    expectTries(turn, ['llm_unavailable', null]);
    expect(firstFailure(turn)?.error.retryAfterMs).toBe(2_000);
  });

  test('comes by the usual schedule when Retry-After cannot be read', () => {
    const turn = turnOf('unreadable');
    expectTries(turn, ['llm_rate_limited', null]);
    expect(firstFailure(turn)?.error.retryAfterMs).toBeUndefined();
  });

  test('does not come when the backend asks for more than the turn has left: its cause is the turn’s', () => {
    const turn = turnOf('patience');
    expectTries(turn, ['llm_rate_limited']);
    expectNoAnswer(turn, 'llm_rate_limited');
    expectHonesty(turn);
    expectNextWorks(turn);
  });
});
