// A judge that finds nothing is none: what may not happen to a reader that was cut is planted in a good turn, and told.

import { describe, expect, test } from '@jest/globals';
import type { Delta, TurnEvent } from '../../src/protocol/events.ts';
import { toLogged } from '../../src/protocol/turn.ts';
import { answerOf, toTranscript } from '../../src/protocol/transcript.ts';
import type { Texts } from '../protocol/turn-script.ts';
import { toValidTurn } from '../testing/valid-turns.ts';
import { judgeCuts, type CutEvidence } from './judge-cuts.ts';

const texts: Texts = new Map([
  ['1/1/answer', ['Restart ', 'the jab']],
  ['1/2/reasoning', ['Let me see.']],
  ['1/2/answer', ['Restart ', 'the job 😀', ' with conman.']],
]);
const script = { queuedBehind: 0, model: 'm', steps: [{ attempts: 2, completes: true }], end: 'completed' } as const;
const { events, upstream } = toValidTurn(script, texts);
const { turnId } = events[0] as TurnEvent;
const whole = toTranscript(events);

/** @param frames what each reader received */
function judge(...frames: readonly (readonly TurnEvent[])[]) {
  const evidence: CutEvidence = {
    turnId,
    readers: frames.map((own) => ({ frames: own, surprises: [] })),
    sent: upstream,
    reply: { answer: answerOf(whole), reasoning: 'Let me see.' },
    graph: { answer: answerOf(whole), log: whole.log.map(toLogged) },
  };
  return judgeCuts(evidence);
}

const piece = events.findLastIndex((event) => event.type === 'delta' && event.channel === 'answer');
const delta = events[piece] as Delta;
/** The piece again, from `back` characters before its begin. */
const again = (back: number): Delta => ({
  ...delta,
  offset: delta.offset - back,
  text: answerOf(whole).slice(delta.offset - back),
});

describe('the judge of cuts', () => {
  test('finds nothing in readers that have everything once', () => {
    expect(judge(events, events)).toMatchObject({ lostChars: 0, doubledChars: 0, violations: [] });
  });

  test('counts a character that came twice, also where the reducer dropped it', () => {
    const verdict = judge(events, events.with(piece, again(1)));
    expect(verdict).toMatchObject({ lostChars: 0, doubledChars: 1 });
    expect(verdict.violations).toContain('reader 2: 1 characters came again');
  });

  test('counts a piece that came twice', () => {
    expect(judge(events.toSpliced(piece + 1, 0, delta)).doubledChars).toBe(delta.text.length);
  });

  test('counts characters that never came', () => {
    const verdict = judge(events.with(piece, { ...delta, text: delta.text.slice(0, -1) }));
    expect(verdict).toMatchObject({ lostChars: 1, violations: ['reader 1: 1 characters came with the end only'] });
  });

  test('tells an event that came twice, an end that never came, and one that is not the stored one', () => {
    const started = events.findIndex(({ type }) => type === 'agent_started');
    expect(judge(events.toSpliced(started + 1, 0, events[started] as TurnEvent)).repeatedEvents).toBe(1);
    expect(judge(events.slice(0, -1)).violations).toContain('reader 1: ended with nothing');
    const other = events.map((event) => (event.type === 'agent_started' ? { ...event, model: 'other' } : event));
    expect(judge(events, other).violations).toEqual(
      expect.arrayContaining(['reader 2: the log is not the stored one', 'readers have 2 different logs']),
    );
  });
});
