// Numbers of a turn as a reader received it. No violations: they are for tables and budgets.

import { isSequenced, isTerminal, type TurnEvent } from '../../src/protocol/events.ts';
import { answerOf } from '../../src/protocol/transcript.ts';
import type { Arrivals } from './arrivals.ts';

export interface TranscriptFigures {
  readonly events: number;
  readonly deltas: number;
  readonly attempts: number;
  readonly answerChars: number;
  /** Text of failed attempts that the reader saw and that is gone. */
  readonly discardedChars: number;
  /** Characters that came again at their place and were dropped: legal (R25), and a cost. */
  readonly overlapChars: number;
  /** Deltas of attempts that were over when they came: legal (R29). */
  readonly lateDeltas: number;
  /** Sequenced events that came again with equal content: legal (R13). */
  readonly repeatedEvents: number;
  /** Events that replaced another one of their `seq`: legal (R14). */
  readonly corrections: number;
  /** Longest time between two consecutive events of the running turn, by their `time`, in milliseconds. */
  readonly longestGapMs: number;
  /** Times of more than 15 s in which a running turn said nothing. */
  readonly silences: readonly Silence[];
}

export interface Silence {
  readonly afterType: TurnEvent['type'];
  readonly beforeType: TurnEvent['type'];
  readonly ms: number;
}

const silenceMs = 15_000;

export function toFigures(events: readonly TurnEvent[], arrivals: Arrivals): TranscriptFigures {
  const { transcript, shown, deltas, overlapChars, lateDeltas, repeatedEvents, corrections } = arrivals;
  const gaps = gapsOf(events);
  const isFailed = ({ step, attempt }: { readonly step: number; readonly attempt: number }): boolean =>
    transcript.log.some(
      (e) => (e.type === 'attempt_failed' || e.type === 'agent_failed') && e.step === step && e.attempt === attempt,
    );
  return {
    events: events.length,
    deltas,
    attempts: transcript.log.filter((e) => e.type === 'agent_thinking').length,
    answerChars: answerOf(transcript).length,
    discardedChars: shown.filter(isFailed).reduce((sum, { text }) => sum + text.length, 0),
    overlapChars,
    lateDeltas,
    repeatedEvents,
    corrections,
    longestGapMs: Math.max(0, ...gaps.map(({ ms }) => ms)),
    silences: gaps.filter(({ ms }) => ms > silenceMs),
  };
}

/** A resume sends text with the time of its call's beginning: such an event is no step back in time. */
function gapsOf(events: readonly TurnEvent[]): Silence[] {
  const gaps: Silence[] = [];
  let last: TurnEvent | undefined;
  let latestMs = 0;
  for (const event of events) {
    const timeMs = Date.parse(event.time);
    if (Number.isNaN(timeMs)) continue;
    if (last !== undefined) {
      gaps.push({ afterType: last.type, beforeType: event.type, ms: Math.max(0, timeMs - latestMs) });
    }
    latestMs = Math.max(timeMs, latestMs);
    last = event;
    if (isSequenced(event) && isTerminal(event)) break;
  }
  return gaps;
}
