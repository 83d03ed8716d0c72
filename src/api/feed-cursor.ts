// A reader of a feed: a cursor, never a queue. It takes from the transcript what it lacks when it can send, so a slow
// one gets fewer and larger pieces and costs no memory.

import type { Cursor } from '../protocol/cursor.ts';
import { type AuditCompleted, type AuditFailed, type TurnEvent, type Waiting } from '../protocol/events.ts';
import { advanceCursor, eventsAfter, terminalOf } from '../protocol/transcript.ts';
import type { TurnFeed } from './turn-feed.ts';

export interface FeedCursor {
  readonly feed: TurnFeed;
  /** Everything that is new since the last call; the cursor moves past it. */
  take(): readonly TurnEvent[];
  /** Where the reader stands. */
  readonly cursor: Cursor;
  /** The reader has the terminal event: it was taken, or the reader came with it. */
  readonly ended: boolean;
  /** Starts again from a cursor that the client names. */
  seek(cursor: Cursor): void;
  close(): void;
}

/** @param changed called when `take` may have something; may be called often */
export function createFeedCursor(feed: TurnFeed, from: Cursor, changed: () => void): FeedCursor {
  let cursor = from;
  let waiting: Waiting | null = null;
  let audit: AuditCompleted | AuditFailed | null = null;
  const stop = feed.read({
    changed,
    rewind(seq) {
      if (seq >= cursor.seq) return;
      // What was sent after `seq` comes again: streams that were announced later than that start anew.
      const known = feed.transcript.log.filter((e) => e.type === 'agent_thinking' && e.seq <= seq);
      const streams = cursor.streams.filter((s) =>
        known.some((e) => e.type === 'agent_thinking' && e.step === s.step && e.attempt === s.attempt),
      );
      cursor = { seq, streams };
    },
  });
  return {
    feed,
    take() {
      const { transcript } = feed;
      const events = eventsAfter(transcript, cursor).filter((event) => event.type !== 'waiting' || event !== waiting);
      if (transcript.audit !== null && transcript.audit !== audit) events.push(transcript.audit);
      ({ waiting, audit } = transcript);
      for (const event of events) {
        cursor = advanceCursor(cursor, event);
      }
      return events;
    },
    get cursor() {
      return cursor;
    },
    get ended() {
      const terminal = terminalOf(feed.transcript);
      return terminal !== null && cursor.seq >= terminal.seq;
    },
    seek(next) {
      cursor = next;
      waiting = null;
      changed();
    },
    close: stop,
  };
}
