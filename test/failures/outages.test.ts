// The patterns in which providers fail for a while: the user sees every try and its cause, no word twice, no long
// silence, and in the end the exact text of one call or an explicit error. All patterns run at the same time.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TurnEvent, WaitingReason } from '../../src/protocol/events.ts';
import { applyEvent, emptyTranscript } from '../../src/protocol/transcript.ts';
import { answer, endAfter, mute, refuse, resetAfter, silentAfter } from '../../testing/upstream/upstream.ts';
import type { Evidence } from './evidence.ts';
import {
  expectHonesty,
  expectNextWorks,
  expectNoAnswer,
  expectTries,
  startFailureRig,
  type AgentName,
  type FailingTurn,
  type FailureRig,
} from './failure-rig.ts';

const words = (name: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${name}${n} `);
const whole = words('answer', 40);

const patterns = {
  down: ['patient', [refuse(503, 'away')]],
  downForLonger: ['patient', [refuse(503, 'away', { 'retry-after': '17' }), answer(whole)]],
  mute: ['slow', [mute(), answer(whole)]],
  threeFailures: [
    'hesitant',
    [resetAfter(words('first', 20)), endAfter(words('second', 30)), silentAfter(words('third', 9)), answer(whole)],
  ],
  tokenAMinute: ['hesitant', [answer(whole, { paceMs: 60_000 })]],
  tokenAMinuteAllowed: ['dripping', [answer(whole, { paceMs: 60_000 })]],
} as const satisfies Record<string, readonly [AgentName, Parameters<FailureRig['run']>[1]]>;
type Pattern = keyof typeof patterns;

const cascade = 6;
const turnsAtOnce = 9;

let rig: FailureRig;
let third: FailureRig;
const turns = new Map<Pattern, FailingTurn>();
let cascading: readonly FailingTurn[] = [];
let everyThird: readonly Evidence[] = [];
const lag = monitorEventLoopDelay();
beforeAll(async () => {
  lag.enable();
  [rig, third] = await Promise.all([startFailureRig(), startFailureRig()]);
  third.stack.upstream.chat.always((nth) => (nth % 3 === 0 ? answer(whole) : resetAfter(words(`call${nth}-`, 7))));
  [cascading, everyThird] = await Promise.all([
    Promise.all(
      Array.from({ length: cascade }, () => rig.run('hesitant', [mute(), silentAfter(['a ']), answer(whole)])),
    ),
    Promise.all(Array.from({ length: turnsAtOnce }, () => third.send('patient'))),
    ...Object.entries(patterns).map(async ([name, [agent, behaviours]]) => {
      turns.set(name as Pattern, await rig.run(agent, behaviours));
    }),
  ]);
}, 180_000);
afterAll(async () => {
  lag.disable();
  await rig.close();
  await third.close();
});

const turnOf = (name: Pattern): FailingTurn => {
  const turn = turns.get(name);
  if (turn === undefined) throw new Error(`no turn was run for ${name}`);
  return turn;
};

/** At every moment the text on the screen is the beginning of what the current call really sent (C1, B15). */
function expectTrueText({ frames, calls }: Evidence): void {
  let transcript = emptyTranscript;
  for (const frame of frames) {
    transcript = applyEvent(transcript, frame);
    for (const { attempt, state, text } of transcript.streams) {
      if (state !== 'discarded') expect(calls[attempt - 1]?.written.join('').startsWith(text)).toBe(true);
    }
    expect(transcript.streams.filter(({ state }) => state !== 'discarded').length).toBeLessThanOrEqual(1);
  }
}

/** A17, by the times that the events bear; a machine that let the gateway itself stand still is not the gateway's. */
function expectNoSilence(frames: readonly TurnEvent[]): void {
  const allowedMs = 15_000 + lag.max / 1e6;
  const told = frames.filter(({ type }) => !type.startsWith('audit_'));
  const gaps = told.slice(1).map(({ type, time }, index) => {
    const before = told[index];
    return { after: before?.type, before: type, ms: Date.parse(time) - Date.parse(before?.time ?? time) };
  });
  expect(gaps.filter(({ ms }) => ms > allowedMs)).toEqual([]);
}

const waitingFor = ({ frames }: Evidence, reason: WaitingReason) =>
  frames.filter((frame) => frame.type === 'waiting' && frame.reason === reason);

describe('a provider that is down for good', () => {
  test('ends the turn with the last cause, within the schedule', () => {
    const turn = turnOf('down');
    expectTries(turn, ['llm_unavailable', 'llm_unavailable', 'llm_unavailable', 'llm_unavailable']);
    expectNoAnswer(turn, 'llm_unavailable');
    expectHonesty(turn);
    expectNoSilence(turn.frames);
  });
});

describe('a provider that wants to be left alone for longer', () => {
  test('is waited for, and the user is told what for and until when (A17)', () => {
    const turn = turnOf('downForLonger');
    expectTries(turn, ['llm_unavailable', null]);
    const failed = turn.log.find((event) => event.type === 'attempt_failed');
    expect(waitingFor(turn, 'retry').at(-1)).toMatchObject({ until: failed?.retryAt });
    expectNoSilence(turn.frames);
  });
});

describe('a provider that says nothing for a long time', () => {
  test('is waited for as long as its agent allows, and the user is told so (A11, A17)', () => {
    const turn = turnOf('mute');
    expectTries(turn, ['llm_timeout', null]);
    expect(waitingFor(turn, 'model')).not.toEqual([]);
    expectNoSilence(turn.frames);
  });
});

describe('three failures in three ways, then an answer', () => {
  test('shows every try, no text of it twice, and the whole answer once', () => {
    const turn = turnOf('threeFailures');
    expectTries(turn, ['llm_stream_truncated', 'llm_stream_truncated', 'llm_timeout', null]);
    expectTrueText(turn);
    expectHonesty(turn);
    expect(turn.view.answer).toBe(whole.join(''));
    expect(turn.stored['answer']).toBe(whole.join(''));
    expectNextWorks(turn);
  });
});

describe('a provider of which only each third call succeeds', () => {
  test('gives every one of several turns its exact text or an explicit error', () => {
    const ends = everyThird.map((turn) => {
      const codes = turn.view.receipt?.attempts.map(({ errorCode }) => errorCode) ?? [];
      expectTries(turn, codes);
      expectTrueText(turn);
      expectHonesty(turn);
      if (turn.view.state === 'failed') expectNoAnswer(turn, 'llm_stream_truncated');
      else expect(turn.view.answer).toBe(whole.join(''));
      return turn.view.state;
    });
    const calls = third.stack.upstream.calls.filter(({ isJson }) => !isJson);
    expect(everyThird.flatMap((turn) => turn.calls)).toHaveLength(calls.length);
    const good = calls.filter(({ nth }) => nth % 3 === 0).length;
    expect(ends.filter((state) => state === 'completed')).toHaveLength(good);
    expect(ends.filter((state) => state === 'failed')).toHaveLength(turnsAtOnce - good);
  });
});

describe('time-outs that cascade over many turns', () => {
  test('are tries of each turn alone: every one gets its answer in the end', () => {
    expect(cascading).toHaveLength(cascade);
    for (const turn of cascading) {
      expectTries(turn, ['llm_timeout', 'llm_timeout', null]);
      expectTrueText(turn);
      expect(turn.view.answer).toBe(whole.join(''));
      expectNextWorks(turn);
    }
  });
});

describe('a provider that streams one token a minute', () => {
  test('is silent for too long by the agent’s limit (A11)', () => {
    const turn = turnOf('tokenAMinute');
    expectTries(turn, ['llm_timeout', 'llm_timeout', 'llm_timeout', 'llm_timeout']);
    expectNoAnswer(turn, 'llm_timeout');
    expectHonesty(turn);
    const failed = turn.log.filter((event) => event.type === 'attempt_failed');
    expect(failed.map(({ discardedChars }) => discardedChars)).toEqual([8, 8, 8]);
  });

  test('is ended by the turn’s deadline when the agent allows such silence (A11)', () => {
    const turn = turnOf('tokenAMinuteAllowed');
    expectTries(turn, ['llm_timeout']);
    expectNoAnswer(turn, 'llm_timeout');
    expect(turn.view.error?.message).toContain('no end of its answer within 3 s');
    expect(turn.calls[0]?.closedAt).not.toBeNull();
  });
});
