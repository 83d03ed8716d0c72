// A cursor that a reader brings, judged by the turn it is for: it comes from another gateway, from long ago, or from
// another turn, it may count what is not true any more, and it may be ahead of what this gateway has heard yet.

import { startCursor, toCursor, type Cursor, type CursorFrame, type StreamCursor } from '../protocol/cursor.ts';
import { CandorError } from '../protocol/errors.ts';
import { logHash } from '../protocol/log-hash.ts';
import { isOutsideEnd } from '../protocol/outside-end.ts';
import { terminalOf, type Transcript } from '../protocol/transcript.ts';
import type { TurnFeed } from './turn-feed.ts';

/** Where a reader goes on. */
export interface ResumePoint extends Cursor {
  /** The cursor as it was brought, when this gateway knows less: it is judged when the log has come so far. */
  readonly unproven?: CursorFrame;
}

/**
 * Where the reader goes on, once this gateway knows as much as it, or has asked and nobody could say. It waits for nothing
 * else: what is known is told at once, and the rest as it comes.
 *
 * @throws CandorError `invalid_request`
 */
export async function toResumePoint(
  feed: Pick<TurnFeed, 'reaches' | 'transcript'>,
  frame: CursorFrame | undefined,
): Promise<ResumePoint> {
  if (frame === undefined) return startCursor;
  const isTrue = await feed.reaches(frame.seq);
  if (isTrue && !canJudge(frame, feed.transcript)) return { ...toCursor(frame), unproven: frame };
  return toOwnCursor(frame, feed.transcript);
}

/** The log has come as far as the reader's, or it has ended. */
export const canJudge = ({ seq }: CursorFrame, transcript: Transcript): boolean =>
  seq <= transcript.log.length || terminalOf(transcript) !== null;

/**
 * The cursor to go on from. A reader whose log is not the beginning of this one was shown provisional events that were
 * corrected meanwhile, and is sent the whole. A cursor that this turn cannot have given was taken from another one; of a
 * turn that has ended this is certain. In an open one the reader goes back to what is known; or it has more of a text
 * than this gateway has yet, and goes on from there.
 *
 * @throws CandorError `invalid_request`
 */
export function toOwnCursor(frame: CursorFrame, transcript: Transcript): Cursor {
  const own = judge(frame, transcript);
  if (own === null) throw new CandorError('invalid_request', { facts: { reason: 'the cursor is not of this turn' } });
  return own;
}

/** The same for a reader who was let in with it: nothing is refused any more, what does not fit begins anew. */
export const toLateCursor = (frame: CursorFrame, transcript: Transcript): Cursor =>
  judge(frame, transcript) ?? startCursor;

/** `null`: the turn cannot have given it. */
function judge(frame: CursorFrame, transcript: Transcript): Cursor | null {
  const cursor = toCursor(frame);
  const { log, streams } = transcript;
  if (frame.log !== undefined && (cursor.seq > log.length || frame.log !== logHash(log, cursor.seq))) {
    return startCursor;
  }
  const isKnown = ({ step, attempt }: StreamCursor): boolean =>
    log.some((e) => e.type === 'agent_thinking' && e.step === step && e.attempt === attempt);
  if (terminalOf(transcript) === null) {
    return { seq: Math.min(cursor.seq, log.length), streams: cursor.streams.filter(isKnown) };
  }
  // Of a failed attempt no text is left to compare with; of reasoning another gateway may have seen more.
  const isBeyond = ({ step, attempt, channel, offset }: StreamCursor): boolean =>
    channel === 'answer' &&
    streams.some(
      (s) =>
        s.step === step &&
        s.attempt === attempt &&
        s.channel === channel &&
        s.state !== 'discarded' &&
        offset > s.text.length,
    );
  if (cursor.seq > log.length || cursor.streams.some((s) => !isKnown(s) || isBeyond(s))) {
    // An end from outside may stand behind less than a reader was shown: the whole of it replaces that.
    return isOutsideEnd(transcript) ? startCursor : null;
  }
  return cursor;
}
