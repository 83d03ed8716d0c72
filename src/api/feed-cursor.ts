// A reader of a feed: a cursor, never a queue. It takes from the transcript what it lacks when it can send, so a slow
// one gets fewer and larger pieces and costs no memory.

import type { Cursor } from '../protocol/cursor.ts';
import { type AuditCompleted, type AuditFailed, type TurnEvent, type Waiting } from '../protocol/events.ts';
import { terminalOf } from '../protocol/transcript.ts';
import { canJudge, toLateCursor, type ResumePoint } from './own-cursor.ts';
import { emptySlice, type Slice } from './shared-slices.ts';
import type { TurnFeed } from './turn-feed.ts';

export interface FeedCursor {
  readonly feed: TurnFeed;
  /** What is new since the last call, about so many characters of it; the cursor moves past it. */
  take(maxChars: number): Slice;
  /** The last `take` left something. */
  readonly hasMore: boolean;
  /** Where the reader stands. */
  readonly cursor: Cursor;
  /** The reader has the terminal event: it was taken, or the reader came with it. */
  readonly ended: boolean;
  /** Starts again from a cursor that the client names. */
  seek(from: ResumePoint): void;
  close(): void;
}

export interface FeedCursorOptions {
  /** When the reader asked (epoch, milliseconds): what was emitted before is told again. */
  readonly sinceMs: number;
  /** Called when `take` may have something; may be called often. */
  readonly changed: () => void;
  /**
   * Called for each event that `take` gives.
   * @param lagMs from its emission until now; `null`: it is told again
   * @param cursor behind it
   */
  readonly taken: (type: TurnEvent['type'], lagMs: number | null, cursor: Cursor) => void;
}

export function createFeedCursor(feed: TurnFeed, from: ResumePoint, options: FeedCursorOptions): FeedCursor {
  const { changed, taken } = options;
  let { sinceMs } = options;
  let cursor: Cursor = from;
  let { unproven } = from;
  /** Emission of the oldest piece of text that was not taken yet. */
  let textMs: number | null = null;
  let hasMore = false;
  let waiting: Waiting | null = null;
  let audit: AuditCompleted | AuditFailed | null = null;
  const stop = feed.read({
    changed(newTextMs) {
      textMs ??= newTextMs;
      changed();
    },
    rewind(seq) {
      if (seq >= cursor.seq || unproven !== undefined) return;
      // What was sent after `seq` comes again: streams that were announced later than that start anew.
      const known = feed.transcript.log.filter((e) => e.type === 'agent_thinking' && e.seq <= seq);
      const streams = cursor.streams.filter((s) =>
        known.some((e) => e.type === 'agent_thinking' && e.step === s.step && e.attempt === s.attempt),
      );
      cursor = { seq, streams };
    },
  });
  /** False: the reader is ahead of this gateway, which can give it nothing of the log nor of its text yet. */
  const catchUp = (): boolean => {
    if (unproven === undefined) return true;
    if (!canJudge(unproven, feed.transcript)) return false;
    cursor = toLateCursor(unproven, feed.transcript);
    unproven = undefined;
    return true;
  };
  /** A delta's own time is that of its call. */
  const lagOf = (event: TurnEvent, nowMs: number): number | null => {
    if (event.type === 'delta') return textMs === null ? null : nowMs - textMs;
    const emittedMs = Date.parse(event.time);
    return emittedMs < sinceMs ? null : nowMs - emittedMs;
  };
  /** With the word that everybody waits, and the verdict, unless they were told. */
  const withBesides = (slice: Slice): Slice => {
    const { transcript, slices } = feed;
    const untold: (Waiting | AuditCompleted | AuditFailed)[] = [];
    if (transcript.waiting !== null && transcript.waiting !== waiting) untold.push(transcript.waiting);
    if (transcript.audit !== null && transcript.audit !== audit) untold.push(transcript.audit);
    ({ waiting, audit } = transcript);
    return untold.length === 0 ? slice : slices.with(slice, untold);
  };
  return {
    feed,
    take(maxChars) {
      const { transcript, slices } = feed;
      const lacking = catchUp() ? slices.after(transcript, cursor, maxChars) : emptySlice;
      hasMore = lacking.isCut;
      // What has no place in the log is told behind all that has one.
      const slice = hasMore ? lacking : withBesides(lacking);
      const nowMs = Date.now();
      slice.events.forEach((event, index) => {
        cursor = slice.cursors[index] ?? cursor;
        taken(event.type, lagOf(event, nowMs), cursor);
      });
      if (!hasMore) textMs = null;
      return slice;
    },
    get hasMore() {
      return hasMore;
    },
    get cursor() {
      return cursor;
    },
    get ended() {
      const terminal = terminalOf(feed.transcript);
      return terminal !== null && unproven === undefined && cursor.seq >= terminal.seq;
    },
    seek(next) {
      cursor = next;
      ({ unproven } = next);
      waiting = null;
      textMs = null;
      sinceMs = Date.now();
      changed();
    },
    close: stop,
  };
}
