// The one reducer of a turn's events, pure: the gateway, the browser, the client library and the tests all use it.
// Exactly-once display rests on addressing, not on delivery: sequenced events apply in the order of `seq`, text applies
// at its offset, and whatever is repeated, late or of a dead attempt changes nothing. `test/conformance/` holds the same
// rules as data.

import { toCanonicalJson } from './canonical.ts';
import { offsetIn, type Cursor, type StreamCursor } from './cursor.ts';
import {
  isSequenced,
  isTerminal,
  type AgentThinking,
  type AuditCompleted,
  type AuditFailed,
  type Channel,
  type Delta,
  type SequencedEvent,
  type TerminalEvent,
  type TurnEvent,
  type Waiting,
} from './events.ts';
import type { AgentId, ConversationId, TurnId } from './ids.ts';

/** The text of one channel of one attempt, as far as it is known. */
export interface TextStream {
  readonly agentId: AgentId;
  readonly step: number;
  readonly attempt: number;
  readonly channel: Channel;
  readonly text: string;
  /** `open` grows, `final` is confirmed by `agent_completed`, `discarded` was withdrawn and holds no text. */
  readonly state: 'open' | 'final' | 'discarded';
}

/** Everything known about one turn. */
export interface Transcript {
  readonly turnId: TurnId | null;
  readonly conversationId: ConversationId | null;
  /** `log[i].seq === i + 1`. */
  readonly log: readonly SequencedEvent[];
  readonly streams: readonly TextStream[];
  /** What cannot be applied yet because something before it is missing. Not empty: resume. */
  readonly ahead: readonly (SequencedEvent | Delta)[];
  readonly waiting: Waiting | null;
  readonly audit: AuditCompleted | AuditFailed | null;
}

export const emptyTranscript: Transcript = {
  turnId: null,
  conversationId: null,
  log: [],
  streams: [],
  ahead: [],
  waiting: null,
  audit: null,
};

/** More than this is not kept: a resume brings it again. */
const maxAhead = 1_000;

/** Applies one event. Returns the same object when nothing changed. */
export function applyEvent(transcript: Transcript, event: TurnEvent): Transcript {
  if (transcript.turnId !== null && transcript.turnId !== event.turnId) return transcript;
  const named =
    transcript.turnId === null
      ? { ...transcript, turnId: event.turnId, conversationId: event.conversationId }
      : transcript;
  const next = step(named, event);
  if (next === named) return transcript;
  // What was only put aside lets nothing else fit.
  const onlyHeld = next.log === named.log && next.streams === named.streams;
  return next.ahead.length === 0 || onlyHeld ? next : drain(next);
}

export function applyEvents(transcript: Transcript, events: Iterable<TurnEvent>): Transcript {
  let next = transcript;
  for (const event of events) next = applyEvent(next, event);
  return next;
}

function step(transcript: Transcript, event: TurnEvent): Transcript {
  if (isSequenced(event)) return applySequenced(transcript, event);
  switch (event.type) {
    case 'delta':
      return applyDelta(transcript, event);
    case 'waiting':
      return terminalOf(transcript) === null ? { ...transcript, waiting: event } : transcript;
    case 'audit_completed':
    case 'audit_failed':
      return transcript.audit?.auditId === event.auditId ? transcript : { ...transcript, audit: event };
    default:
      return transcript;
  }
}

function applySequenced(transcript: Transcript, event: SequencedEvent): Transcript {
  const { log } = transcript;
  // The workflow's outcome is in: what differs from it or goes beyond it is a late provisional event.
  if (terminalOf(transcript) !== null) return transcript;
  if (event.seq > log.length + 1) return hold(transcript, event);
  if (event.seq === log.length + 1) return append(transcript, event);
  const known = log[event.seq - 1];
  if (known !== undefined && sameEvent(known, event)) return transcript;
  return append(truncate(transcript, event.seq - 1), event);
}

/** Withdraws everything after `seq`: a retried workflow task decided otherwise. */
function truncate(transcript: Transcript, seq: number): Transcript {
  const log = transcript.log.slice(0, seq);
  return { ...transcript, log, streams: transcript.streams.flatMap((s) => reopen(log, s)) };
}

/**
 * A stream as the shortened log has it. What the withdrawn events had closed is open again; text that they had
 * discarded is gone, so that a resume brings it from the start.
 */
function reopen(log: readonly SequencedEvent[], stream: TextStream): TextStream[] {
  if (thinkingSeq(log, stream) === null) return [];
  if (stream.state === 'final' && completedSeq(log, stream) !== null) return [stream];
  if (isDead(log, stream)) return [{ ...stream, text: '', state: 'discarded' }];
  return stream.state === 'discarded' ? [] : [{ ...stream, state: 'open' }];
}

function append(transcript: Transcript, event: SequencedEvent): Transcript {
  return {
    ...transcript,
    log: [...transcript.log, event],
    streams: streamsAfter(transcript.streams, event),
    waiting: null,
  };
}

function streamsAfter(streams: readonly TextStream[], event: SequencedEvent): readonly TextStream[] {
  switch (event.type) {
    case 'agent_thinking':
      return streams.map((s) => (s.step === event.step && s.attempt < event.attempt ? discard(s) : s));
    case 'attempt_failed':
    case 'agent_failed':
      return streams.map((s) => (s.step === event.step && s.attempt === event.attempt ? discard(s) : s));
    case 'agent_completed': {
      const { agentId, step, attempt, text } = event;
      const rest = streams
        .filter((s) => !(s.step === step && s.attempt === attempt && s.channel === 'answer'))
        .map((s): TextStream => (s.step === step && s.attempt === attempt ? { ...s, state: 'final' } : s));
      return [...rest, { agentId, step, attempt, channel: 'answer', text, state: 'final' }];
    }
    default:
      return streams;
  }
}

/** Leaves a final text alone: only a provisional event can claim that a completed call failed. */
const discard = (stream: TextStream): TextStream =>
  stream.state === 'final' ? stream : { ...stream, text: '', state: 'discarded' };

function applyDelta(transcript: Transcript, delta: Delta): Transcript {
  if (delta.after > transcript.log.length)
    return terminalOf(transcript) === null ? hold(transcript, delta) : transcript;
  if (isDead(transcript.log, delta)) return transcript;
  const index = transcript.streams.findIndex((s) => sameStream(s, delta));
  const stream = transcript.streams[index];
  const have = stream?.text.length ?? 0;
  if (delta.offset > have) return hold(transcript, delta);
  const text = delta.text.slice(have - delta.offset);
  if (text === '') return transcript;
  const { agentId, step, attempt, channel } = delta;
  const grown: TextStream = { agentId, step, attempt, channel, text: (stream?.text ?? '') + text, state: 'open' };
  const streams = stream === undefined ? [...transcript.streams, grown] : transcript.streams.with(index, grown);
  return { ...transcript, streams, waiting: null };
}

/** Text that must not be shown: of an attempt that failed or was overtaken, or of a step that has completed. */
function isDead(log: readonly SequencedEvent[], { step, attempt }: Pick<TextStream, 'step' | 'attempt'>): boolean {
  let begun = false;
  for (const event of log) {
    if (!('step' in event) || event.step !== step) continue;
    if (event.type === 'agent_completed') return true;
    if (event.type === 'agent_thinking') {
      if (event.attempt > attempt) return true;
      if (event.attempt === attempt) begun = true;
    }
    if ((event.type === 'attempt_failed' || event.type === 'agent_failed') && event.attempt === attempt) return true;
  }
  return !begun;
}

function hold(transcript: Transcript, event: SequencedEvent | Delta): Transcript {
  if (transcript.ahead.length >= maxAhead || transcript.ahead.some((held) => isRepeat(held, event))) return transcript;
  return { ...transcript, ahead: [...transcript.ahead, event] };
}

/** Compares addresses before contents: this runs over everything held for every event that is held. */
function isRepeat(held: SequencedEvent | Delta, event: SequencedEvent | Delta): boolean {
  if (held === event) return true;
  if (isSequenced(held)) return isSequenced(event) && held.seq === event.seq && sameEvent(held, event);
  if (isSequenced(event) || !sameStream(held, event) || held.offset !== event.offset) return false;
  return held.text === event.text && held.after === event.after;
}

/** Tries again what was held, until nothing more fits. */
function drain(transcript: Transcript): Transcript {
  let current = transcript;
  for (;;) {
    const before = current.ahead;
    let next: Transcript = { ...current, ahead: [] };
    for (const held of before) next = step(next, held);
    if (next.ahead.length === before.length) return current;
    current = next;
    if (next.ahead.length === 0) return current;
  }
}

const sameStream = (a: Pick<TextStream, 'step' | 'attempt' | 'channel'>, b: typeof a): boolean =>
  a.step === b.step && a.attempt === b.attempt && a.channel === b.channel;

/** Equal content, whatever the order of the fields. */
export function sameEvent(a: TurnEvent, b: TurnEvent): boolean {
  return a === b || toCanonicalJson(a) === toCanonicalJson(b);
}

function thinkingSeq(
  log: readonly SequencedEvent[],
  { step, attempt }: Pick<TextStream, 'step' | 'attempt'>,
): number | null {
  const found = log.find((e) => e.type === 'agent_thinking' && e.step === step && e.attempt === attempt);
  return found?.seq ?? null;
}

function completedSeq(
  log: readonly SequencedEvent[],
  { step, attempt }: Pick<TextStream, 'step' | 'attempt'>,
): number | null {
  const found = log.find((e) => e.type === 'agent_completed' && e.step === step && e.attempt === attempt);
  return found?.seq ?? null;
}

/** The event that ended the turn; `null` while it is open. */
export function terminalOf(transcript: Transcript): TerminalEvent | null {
  const last = transcript.log.at(-1);
  return last !== undefined && isTerminal(last) ? last : null;
}

/** Something is missing in between: the reader has to resume from {@link cursorOf}. */
export const hasGap = (transcript: Transcript): boolean => transcript.ahead.length > 0;

/** Where a reader of this transcript stands. */
export function cursorOf(transcript: Transcript): Cursor {
  const streams = transcript.streams
    .filter((s) => s.state === 'open')
    .map(({ step, attempt, channel, text }): StreamCursor => ({ step, attempt, channel, offset: text.length }));
  return { seq: transcript.log.length, streams };
}

/**
 * What a reader at `cursor` lacks, in the order in which it has to be sent: events after `cursor.seq`, and the missing
 * text of every attempt that was not discarded, behind its `agent_thinking` and before its `agent_completed`. Text of
 * a step that was complete at the cursor is not repeated.
 */
export function eventsAfter(transcript: Transcript, cursor: Cursor): TurnEvent[] {
  const out: TurnEvent[] = [];
  for (const event of transcript.log) {
    if (event.seq > cursor.seq) out.push(event);
    if (event.type === 'agent_thinking') pushTexts(out, transcript, cursor, event);
  }
  if (transcript.waiting !== null) out.push(transcript.waiting);
  return out;
}

/** The missing text of the call that `thinking` announced. */
function pushTexts(out: TurnEvent[], transcript: Transcript, cursor: Cursor, thinking: AgentThinking): void {
  const { log, streams } = transcript;
  const { seq, step, attempt } = thinking;
  for (const stream of streams) {
    if (stream.step !== step || stream.attempt !== attempt || stream.state === 'discarded') continue;
    const offset = offsetIn(cursor, step, attempt, stream.channel);
    if (offset >= stream.text.length || thinkingSeq(log, thinking) !== seq) continue;
    const done = completedSeq(log, stream);
    if (done === null || done > cursor.seq) out.push(toDelta(transcript, stream, offset, seq));
  }
}

function toDelta(transcript: Transcript, stream: TextStream, from: number, thinking: number): Delta {
  const { agentId, step, attempt, channel, text } = stream;
  // A cursor of somebody else's making may point into a surrogate pair; the reader drops what it has.
  const offset = splitsPair(text, from) ? from - 1 : from;
  const begun = transcript.log[thinking - 1] as SequencedEvent;
  return {
    type: 'delta',
    conversationId: begun.conversationId,
    turnId: begun.turnId,
    time: begun.time,
    agentId,
    step,
    attempt,
    channel,
    offset,
    text: text.slice(offset),
    after: thinking,
  };
}

function splitsPair(text: string, offset: number): boolean {
  const [before, behind] = [text.charCodeAt(offset - 1), text.charCodeAt(offset)];
  return before >= 0xd800 && before <= 0xdbff && behind >= 0xdc00 && behind <= 0xdfff;
}

/** The cursor of a reader that has just received `event`. Names open streams only, so that it stays small. */
export function advanceCursor(cursor: Cursor, event: TurnEvent): Cursor {
  if (isSequenced(event)) {
    return event.seq > cursor.seq
      ? { seq: event.seq, streams: cursor.streams.filter((s) => !closes(event, s)) }
      : cursor;
  }
  if (event.type !== 'delta') return cursor;
  const { step, attempt, channel } = event;
  const offset = Math.max(offsetIn(cursor, step, attempt, channel), event.offset + event.text.length);
  const streams = cursor.streams.filter((s) => !sameStream(s, event));
  streams.push({ step, attempt, channel, offset });
  return { seq: cursor.seq, streams };
}

/** After `event` no text of the stream is sent any more. */
function closes(event: SequencedEvent, { step, attempt }: StreamCursor): boolean {
  switch (event.type) {
    case 'agent_thinking':
      return event.step === step && attempt < event.attempt;
    case 'attempt_failed':
    case 'agent_failed':
      return event.step === step && event.attempt === attempt;
    case 'agent_completed':
      return event.step === step;
    default:
      return false;
  }
}

export type TurnState = 'accepted' | 'queued' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled';

/** One word for where the turn is. */
export function stateOf(transcript: Transcript): TurnState {
  const last = transcript.log.at(-1);
  switch (last?.type) {
    case undefined:
    case 'turn_accepted':
      return 'accepted';
    case 'turn_queued':
      return 'queued';
    case 'turn_completed':
      return 'completed';
    case 'turn_failed':
      return 'failed';
    case 'turn_cancelled':
      return 'cancelled';
    case 'attempt_failed':
      return 'waiting';
    default:
      return transcript.waiting === null ? 'running' : 'waiting';
  }
}

/** The answer so far: the root agent's last step that was not discarded. Empty while there is none; a failed turn has none. */
export function answerOf(transcript: Transcript): string {
  if (terminalOf(transcript)?.type === 'turn_failed') return '';
  const answers = transcript.streams.filter((s) => s.channel === 'answer' && s.state !== 'discarded');
  return (
    answers.reduce<TextStream | null>((last, s) => (last === null || s.step >= last.step ? s : last), null)?.text ?? ''
  );
}

/** Rebuilds a transcript from a whole log and texts, as the workflow or the graph gives them. */
export function toTranscript(events: Iterable<TurnEvent>): Transcript {
  return applyEvents(emptyTranscript, events);
}
