// Judges a turn by what one reader received of it. Pure: frames in the order of arrival and, where they are known, the
// texts that the model server really sent; out come named violations. The text is put together by the one reducer that
// the gateway and the page use, so a checker cannot be right where a client is wrong.

import type { TurnEvent } from '../src/protocol/events.ts';
import type { ErrorFrame, ServerFrame } from '../src/protocol/frames.ts';
import type { TurnId } from '../src/protocol/ids.ts';
import type { Transcript } from '../src/protocol/transcript.ts';
import { findBannedSentence } from './banned-sentences.ts';
import { receive, toWords } from './transcript/arrivals.ts';
import { toFigures, type TranscriptFigures } from './transcript/figures.ts';
import { checkOrder } from './transcript/order.ts';
import { checkOutcome, type UpstreamText } from './transcript/outcome.ts';
import type { Report, Violation } from './transcript/violation.ts';

export { violationMeanings, type Violation, type ViolationName } from './transcript/violation.ts';
export type { UpstreamText } from './transcript/outcome.ts';
export type { TranscriptFigures } from './transcript/figures.ts';

export interface CheckOptions {
  /** Frames of other turns are passed over; absent: the frames are of one turn, and another one's is a violation. */
  readonly turnId?: TurnId;
  /**
   * Every reply that the model server sent for this turn, also those it broke off (`upstreamTexts` makes them of
   * recorded calls). Absent: whether a text is genuine is not judged, and a banned sentence has no excuse.
   */
  readonly upstream?: readonly UpstreamText[];
}

export interface TranscriptCheck {
  /** Empty: nothing is wrong. */
  readonly violations: readonly Violation[];
  readonly figures: TranscriptFigures;
  /** What the reader has in the end. */
  readonly transcript: Transcript;
}

/**
 * Checks what one reader received: on one socket, or on several one after the other when each resumed from the cursor
 * that the reader had then. Somebody who reads the turn from the beginning is another reader.
 *
 * @param frames every frame in the order of arrival; those that are no events of a turn may be among them
 */
export function checkTranscript(
  frames: readonly (ServerFrame | TurnEvent)[],
  { turnId, upstream }: CheckOptions = {},
): TranscriptCheck {
  const violations: Violation[] = [];
  const places: number[] = [];
  const events: TurnEvent[] = [];
  frames.forEach((frame, at) => {
    if (!('turnId' in frame) || (turnId !== undefined && frame.turnId !== turnId)) return;
    events.push(frame);
    places.push(at);
  });

  const arrivals = receive(events, (index) => (name, detail) => {
    violations.push({ name, detail, at: places[index] ?? index });
  });
  const tell: Report = (name, detail) => void violations.push({ name, detail });
  const { transcript } = arrivals;
  for (const event of transcript.ahead) {
    const what = 'seq' in event ? `seq ${event.seq}` : `text at ${event.step}/${event.attempt}/${event.offset}`;
    tell('seq_missing', `${event.type} with ${what} was never reached; the log has ${transcript.log.length}`);
  }
  const refusals = frames.filter((frame) => frame.type === 'error');
  for (const { error } of refusals) {
    const banned = findBannedSentence(toWords(error));
    if (banned !== null) tell('banned_sentence', `error ${error.code} says «${banned}»`);
  }
  // A message that was refused began no turn: the refusal is its explicit end.
  if (events.length > 0 || !isRefused(refusals, turnId)) {
    checkOrder(transcript.log, tell);
    checkOutcome(arrivals, upstream, tell);
  }
  return { violations, figures: toFigures(events, arrivals), transcript };
}

const isRefused = (refusals: readonly ErrorFrame[], turnId: TurnId | undefined): boolean =>
  refusals.some(({ inReplyTo }) => inReplyTo !== undefined && (turnId === undefined || inReplyTo === turnId));
