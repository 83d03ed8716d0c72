// A cursor that a reader brings, judged by the turn it is for: it comes from another gateway, from long ago, or from
// another turn, and it may count what is not true any more.

import { startCursor, toCursor, type Cursor, type CursorFrame, type StreamCursor } from '../protocol/cursor.ts';
import { CandorError } from '../protocol/errors.ts';
import { logHash } from '../protocol/log-hash.ts';
import { isOutsideEnd } from '../protocol/outside-end.ts';
import { terminalOf, type Transcript } from '../protocol/transcript.ts';

/**
 * The cursor to go on from. A reader whose log is not the beginning of this one was shown provisional events that were
 * corrected meanwhile, and is sent the whole. A cursor that this turn cannot have given was taken from another one; of a
 * turn that has ended this is certain. In an open one the reader goes back to what is known; or it has more of a text
 * than this gateway has yet, and goes on from there.
 *
 * @throws CandorError `invalid_request`
 */
export function toOwnCursor(frame: CursorFrame, transcript: Transcript): Cursor {
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
    if (isOutsideEnd(transcript)) return startCursor;
    throw new CandorError('invalid_request', { facts: { reason: 'the cursor is not of this turn' } });
  }
  return cursor;
}
