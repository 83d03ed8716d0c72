// What readers of one turn are sent. Readers at one place lack the same, so it is found and put into words once, for all of
// them: a thousand sockets on one turn cost one look at the transcript for each piece, and a send each.

import type { Cursor } from '../protocol/cursor.ts';
import type { AuditCompleted, AuditFailed, Delta, TurnEvent, Waiting } from '../protocol/events.ts';
import { advanceCursor, eventsAfter, type Transcript } from '../protocol/transcript.ts';
import { sliceEvents } from './event-slice.ts';
import { createRecentText } from './recent-text.ts';

export interface Slice {
  readonly events: readonly TurnEvent[];
  /** The JSON of each event. */
  readonly frames: readonly string[];
  /** Where a reader stands behind each event; nothing for those without a place in the log. */
  readonly cursors: readonly Cursor[];
  /** There is more behind it. */
  readonly isCut: boolean;
}

export interface SharedSlices {
  /** A piece of text has come by the lane. @param before the transcript without it */
  note(before: Transcript, piece: Delta): void;
  /** Of the log and its texts, what a reader at `cursor` lacks, about so many characters of it. */
  after(transcript: Transcript, cursor: Cursor, maxChars: number): Slice;
  /** `slice`, and behind it what has no place in the log. */
  with(slice: Slice, events: readonly (Waiting | AuditCompleted | AuditFailed)[]): Slice;
}

export const emptySlice: Slice = { events: [], frames: [], cursors: [], isCut: false };

/** So many are kept of one transcript. Readers beyond that stand each at a place of their own, and share nothing. */
const maxKept = 16;

interface KeptSlice extends Slice {
  readonly maxChars: number;
}

export function createSharedSlices(): SharedSlices {
  const recent = createRecentText();
  let known: Transcript | null = null;
  /** Readers that were sent the same slice hold the same cursor: its object finds the next one without a comparison. */
  const byCursor = createKept<Cursor, KeptSlice>();
  const byPlace = createKept<string, KeptSlice>();
  const frames = createKept<TurnEvent, string>();

  const frameOf = (event: TurnEvent): string => frames.get(event) ?? frames.keep(event, JSON.stringify(event));

  const lackingAt = (transcript: Transcript, cursor: Cursor): readonly TurnEvent[] => {
    const text = recent.after(transcript, cursor);
    return text === null ? eventsAfter({ ...transcript, waiting: null }, cursor) : [text];
  };

  return {
    note: (before, piece) => recent.note(before, piece),
    after(transcript, cursor, maxChars) {
      if (transcript !== known) {
        known = transcript;
        byCursor.clear();
        byPlace.clear();
        frames.clear();
      }
      const same = byCursor.get(cursor);
      if (same?.maxChars === maxChars) return same;
      const place = toPlace(cursor, maxChars);
      const slice =
        byPlace.get(place) ??
        byPlace.keep(place, { ...toSlice(lackingAt(transcript, cursor), cursor, maxChars), maxChars });
      return byCursor.keep(cursor, slice);
    },
    with: (slice, events) => ({
      ...slice,
      events: [...slice.events, ...events],
      frames: [...slice.frames, ...events.map(frameOf)],
    }),
  };
}

function toSlice(lacking: readonly TurnEvent[], from: Cursor, maxChars: number): Slice {
  const { events, isCut } = sliceEvents(lacking, maxChars);
  const cursors: Cursor[] = [];
  let cursor = from;
  for (const event of events) {
    cursor = advanceCursor(cursor, event);
    cursors.push(cursor);
  }
  return { events, frames: events.map((event) => JSON.stringify(event)), cursors, isCut };
}

function toPlace({ seq, streams }: Cursor, maxChars: number): string {
  const texts = streams.map(({ step, attempt, channel, offset }) => `${step}/${attempt}/${channel}/${offset}`);
  return `${maxChars} ${seq} ${texts.sort().join(' ')}`;
}

/** Forgets the oldest when there are too many. */
function createKept<Key, Value>() {
  const all = new Map<Key, Value>();
  return {
    get: (key: Key): Value | undefined => all.get(key),
    keep(key: Key, value: Value): Value {
      all.set(key, value);
      if (all.size > maxKept) {
        for (const oldest of all.keys()) {
          all.delete(oldest);
          break;
        }
      }
      return value;
    },
    clear: (): void => all.clear(),
  };
}
