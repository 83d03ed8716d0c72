// A reader's place in a transcript: a cursor, never a queue. It takes what it lacks whenever it has time, so that a slow
// reader gets fewer and larger pieces, and every event and every character once.

import type { Cursor } from '../protocol/cursor.ts';
import type { AuditCompleted, AuditFailed, SequencedEvent, TurnEvent, Waiting } from '../protocol/events.ts';
import type { ConversationId, TurnId } from '../protocol/ids.ts';
import { advanceCursor, cursorOf, eventsAfter, type Transcript } from '../protocol/transcript.ts';

/**
 * What was given before was provisional (R14). Every event after `seq` is withdrawn, and the text of every model call
 * that is not complete at `seq`; what takes their place follows, such text from its start.
 */
export interface Corrected {
  readonly type: 'corrected';
  readonly turnId: TurnId;
  readonly conversationId: ConversationId | null;
  /** 0: everything. */
  readonly seq: number;
}

export type TurnItem = TurnEvent | Corrected;

export interface Reading {
  /** What is new since the last call. */
  take(transcript: Transcript): readonly TurnItem[];
}

/** @param from what the reader has already */
export function createReading(turnId: TurnId, from: Transcript): Reading {
  let cursor: Cursor = cursorOf(from);
  let log: readonly SequencedEvent[] = from.log;
  let waiting: Waiting | null = null;
  let audit: AuditCompleted | AuditFailed | null = from.audit;
  return {
    take(transcript) {
      const items: TurnItem[] = [];
      const seq = sameUntil(log, transcript.log, cursor.seq);
      if (seq < cursor.seq) {
        items.push({ type: 'corrected', turnId, conversationId: transcript.conversationId, seq });
        cursor = { seq, streams: [] };
      }
      for (const event of eventsAfter(transcript, cursor)) {
        if (event !== waiting) items.push(event);
        cursor = advanceCursor(cursor, event);
      }
      if (transcript.audit !== null && transcript.audit !== audit) items.push(transcript.audit);
      ({ log, waiting, audit } = transcript);
      return items;
    },
  };
}

/** How many of the first `length` events are still the same objects: the reducer keeps what it does not replace. */
function sameUntil(old: readonly SequencedEvent[], now: readonly SequencedEvent[], length: number): number {
  if (old === now) return length;
  for (let index = 0; index < length; index += 1) if (old[index] !== now[index]) return index;
  return length;
}
