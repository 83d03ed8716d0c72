// The truth table of the model's backend by whole turns (J2, C5): each row at every call, and once in the middle of
// other trouble. All of them run at the same time on one Candor; each test then looks at its own.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { answer, refuse } from '../../testing/upstream/upstream.ts';
import {
  expectHonesty,
  expectNextWorks,
  expectNoAnswer,
  expectTries,
  startFailureRig,
  type FailingTurn,
  type FailureRig,
} from './failure-rig.ts';
import { wireRows, type WireRow } from './wire-rows.ts';

const better = ['the ', 'answer'];
const always = new Map<string, FailingTurn>();
const once = new Map<string, FailingTurn>();
let rig: FailureRig;

/** Turns at once: most of a turn here is waiting, and still a small machine should not be drowned. */
const turnsAtOnce = 45;

beforeAll(async () => {
  rig = await startFailureRig();
  const waiting = wireRows.flatMap(({ name, agent = 'patient', behaviour, again }: WireRow) => [
    async () => void always.set(name, await rig.run(agent, [behaviour])),
    ...(again ? [async () => void once.set(name, await rig.run(agent, [refuse(500), behaviour, answer(better)]))] : []),
  ]);
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next();
  };
  await Promise.all(Array.from({ length: turnsAtOnce }, work));
}, 300_000);
afterAll(() => rig.close());

const found = (turns: ReadonlyMap<string, FailingTurn>, name: string): FailingTurn => {
  const turn = turns.get(name);
  if (turn === undefined) throw new Error(`no turn was run for ${name}`);
  return turn;
};

describe('at every call', () => {
  test.each(wireRows)('$name ends the turn with $code', ({ name, code, again, shown, overtakes, says }) => {
    const turn = found(always, name);
    expectTries(turn, again ? [code, code, code, code] : [code]);
    expectNoAnswer(turn, code);
    expectHonesty(turn);
    expectNextWorks(turn, shown);
    for (const event of turn.log) {
      if (event.type !== 'attempt_failed' && event.type !== 'agent_failed') continue;
      if (overtakes === true) expect(event.discardedChars).toBeLessThanOrEqual(shown?.length ?? 0);
      else expect(event.discardedChars).toBe(shown?.length ?? 0);
      expect(event.error.message).toContain(says ?? '');
      expect(event.error.source).toBe('model');
    }
  });
});

describe('at the second call only', () => {
  const rows = wireRows.filter(({ again }) => again);
  test.each(rows)('$name is one failed try before the answer', ({ name, code, shown, overtakes }) => {
    const turn = found(once, name);
    expectTries(turn, ['llm_unavailable', code, null]);
    expectHonesty(turn);
    expect(turn.view).toMatchObject({ state: 'completed', answer: better.join(''), error: null });
    expect(turn.stored).toMatchObject({ outcome: 'completed', answer: better.join('') });
    const failed = turn.log.find((event) => event.type === 'attempt_failed' && event.attempt === 2);
    if (overtakes !== true) expect(failed).toMatchObject({ discardedChars: shown?.length ?? 0 });
    expectNextWorks(turn, shown);
    // The prompt of the next message has the answer that was given, and it alone.
    expect(turn.next.calls[0]?.body.messages).toContainEqual({ role: 'assistant', content: better.join('') });
  });
});
