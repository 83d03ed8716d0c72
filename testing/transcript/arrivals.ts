// What a reader received, event by event: every address must continue what was there, and nothing may come twice as if
// it were new. Whether an event changes anything is decided by the one reducer; here is only looked at what came and at
// what the reducer made of it.

import { isSequenced, isTerminal, type Delta, type SequencedEvent, type TurnEvent } from '../../src/protocol/events.ts';
import {
  applyEvent,
  emptyTranscript,
  sameEvent,
  terminalOf,
  type TextStream,
  type Transcript,
} from '../../src/protocol/transcript.ts';
import { findBannedSentence } from '../banned-sentences.ts';
import type { Report } from './violation.ts';

/** The text of one channel of one attempt as it was on the screen when it was longest. */
export type ShownText = Pick<TextStream, 'step' | 'attempt' | 'channel' | 'text'>;

export interface Arrivals {
  readonly transcript: Transcript;
  readonly shown: readonly ShownText[];
  readonly deltas: number;
  /** Characters that came again at their place and were dropped: legal (R25), and a cost. */
  readonly overlapChars: number;
  /** Deltas of attempts that were over when they came: legal (R29). */
  readonly lateDeltas: number;
  /** Sequenced events that came again with equal content: legal (R13). */
  readonly repeatedEvents: number;
  /** Events that replaced another one of their `seq` (R14). */
  readonly corrections: number;
}

type Address = Pick<Delta, 'step' | 'attempt' | 'channel'>;

/** Applies the events in the order of arrival. `report` is told the index of the event that is to blame. */
export function receive(events: readonly TurnEvent[], report: (at: number) => Report): Arrivals {
  const counts = { deltas: 0, overlapChars: 0, lateDeltas: 0, repeatedEvents: 0, corrections: 0 };
  const shown = new Map<string, ShownText>();
  const announced = new Set<string>();
  let transcript = emptyTranscript;

  const lookAtSequenced = (event: SequencedEvent, tell: Report): void => {
    const known = transcript.log[event.seq - 1];
    const terminal = terminalOf(transcript);
    if (event.type === 'agent_thinking') announced.add(callOf(event));
    if (known !== undefined && sameEvent(known, event)) {
      counts.repeatedEvents += 1;
      return;
    }
    if (terminal !== null) {
      const name = isTerminal(event) ? 'two_terminals' : 'after_terminal';
      tell(name, `${event.type} with seq ${event.seq} after ${terminal.type} with seq ${terminal.seq}`);
      return;
    }
    if (known !== undefined) counts.corrections += 1;
    const { length } = transcript.log;
    if (!Number.isInteger(event.seq) || event.seq < 1 || event.seq > length + 1) {
      tell('gap', `${event.type} has seq ${event.seq}; the reader had ${length}`);
    }
  };

  const lookAtDelta = (delta: Delta, tell: Report): void => {
    counts.deltas += 1;
    const place = placeOf(delta);
    if (splitsPair(delta.text)) tell('surrogate_split', `${place} begins or ends within a surrogate pair`);
    const thinking = transcript.log.find((e) => e.type === 'agent_thinking' && callOf(e) === callOf(delta));
    if (thinking === undefined && delta.after <= transcript.log.length && !announced.has(callOf(delta))) {
      tell('without_call', `${place} came before the agent_thinking of its attempt`);
    }
    if (thinking !== undefined && delta.after < thinking.seq) {
      tell('without_call', `${place} says after ${delta.after}; its agent_thinking has seq ${thinking.seq}`);
    }
    const have = lengthOf(transcript, delta);
    if (delta.offset > have && !isOver(transcript, delta)) tell('gap', `${place} came; the reader had ${have}`);
    const before = shown.get(streamOf(delta));
    const overlap = before?.text.slice(delta.offset, delta.offset + delta.text.length) ?? '';
    if (!delta.text.startsWith(overlap)) {
      tell('overlap_differs', `${place} says ${quote(delta.text)} where ${quote(overlap)} was`);
    }
    counts.overlapChars += overlap.length;
  };

  events.forEach((event, at) => {
    const tell = report(at);
    if (transcript.turnId !== null && event.turnId !== transcript.turnId) {
      tell('foreign_event', `${event.type} of turn ${event.turnId}; the reader reads ${transcript.turnId}`);
      return;
    }
    if (isSequenced(event)) lookAtSequenced(event, tell);
    if (event.type === 'delta') lookAtDelta(event, tell);
    const before = transcript;
    transcript = applyEvent(transcript, event);
    if (event.type === 'delta') {
      if (terminalOf(before) !== null && transcript !== before) {
        tell('after_terminal', `${placeOf(event)} was appended after the turn had ended`);
      }
      if (terminalOf(before) === null && isOver(before, event)) counts.lateDeltas += 1;
    }
    if (event.type === 'waiting' && terminalOf(before) !== null) {
      tell('after_terminal', `waiting for ${event.reason} after the turn had ended`);
    }
    remember(shown, before, transcript);
    const banned = findBannedSentence(wordsOf(event));
    if (banned !== null) tell('banned_sentence', `${event.type} says «${banned}»`);
  });
  return { transcript, shown: [...shown.values()], ...counts };
}

/** Keeps each text as it was when it was longest; one that was withdrawn by a correction begins anew. */
function remember(shown: Map<string, ShownText>, before: Transcript, after: Transcript): void {
  if (before.streams === after.streams) return;
  for (const stream of before.streams) {
    if (!after.streams.some((s) => streamOf(s) === streamOf(stream))) shown.delete(streamOf(stream));
  }
  for (const stream of after.streams) {
    // `agent_completed` replaces what had come: what had come is what is remembered.
    if (stream.state === 'open' && stream.text !== '') shown.set(streamOf(stream), stream);
  }
}

/** What Candor itself says in an event; what the user, the documents or a model said is theirs. */
function wordsOf(event: TurnEvent): string {
  const theirs = event.type === 'audit_completed' ? [...saidByOthers, 'reason'] : saidByOthers;
  return toWords(Object.fromEntries(Object.entries(event).filter(([key]) => !theirs.includes(key))));
}

const saidByOthers: readonly string[] = ['text', 'context', 'citations', 'unsupported'];

/** Every string of a value, a line each. */
export function toWords(value: unknown): string {
  if (typeof value === 'string') return `${value}\n`;
  return typeof value === 'object' && value !== null ? Object.values(value).map(toWords).join('') : '';
}

const callOf = ({ step, attempt }: Pick<Address, 'step' | 'attempt'>): string => `${step}/${attempt}`;
const streamOf = (address: Address): string => `${callOf(address)}/${address.channel}`;
const placeOf = (delta: Delta): string =>
  `delta ${delta.step}/${delta.attempt}/${delta.channel} at offset ${delta.offset}`;
export const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** How far the text of a stream is known, with the pieces that wait for an event before them. */
function lengthOf({ streams, ahead }: Transcript, address: Address): number {
  let length = streams.find((s) => streamOf(s) === streamOf(address))?.text.length ?? 0;
  const held = ahead.filter((e) => !isSequenced(e)).filter((e) => streamOf(e) === streamOf(address));
  for (const { offset, text } of held.toSorted((a, b) => a.offset - b.offset)) {
    if (offset <= length) length = Math.max(length, offset + text.length);
  }
  return length;
}

/** No text of this attempt is shown any more: it failed, was overtaken, or its step is complete. */
function isOver({ log }: Transcript, { step, attempt }: Address): boolean {
  return log.some((event) => {
    if (!('step' in event) || event.step !== step) return false;
    if (event.type === 'agent_completed') return true;
    if (event.type === 'agent_thinking') return event.attempt > attempt;
    return event.attempt === attempt && (event.type === 'attempt_failed' || event.type === 'agent_failed');
  });
}

const splitsPair = (text: string): boolean => /^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/.test(text);
