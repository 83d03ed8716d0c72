// A cursor says what a reader already has: the last sequenced event and, for each open stream of text, how far.

import type { Channel } from './events.ts';

export interface StreamCursor {
  readonly step: number;
  readonly attempt: number;
  readonly channel: Channel;
  /** UTF-16 units received. */
  readonly offset: number;
}

export interface Cursor {
  readonly seq: number;
  readonly streams: readonly StreamCursor[];
}

/** The cursor as it travels: the flat form names one stream (`channel` is `answer` when absent). */
export interface CursorFrame {
  readonly seq: number;
  readonly step?: number | undefined;
  readonly attempt?: number | undefined;
  readonly channel?: Channel | undefined;
  readonly offset?: number | undefined;
  readonly streams?: readonly StreamCursor[] | undefined;
  /** Hash of the reader's log up to `seq`; see `logHash`. Without it a gateway cannot see that the log was corrected. */
  readonly log?: string | undefined;
}

/** Before everything. */
export const startCursor: Cursor = { seq: 0, streams: [] };

/** Brings both wire forms into one. A flat form without a step names no stream. */
export function toCursor(frame: CursorFrame): Cursor {
  const { seq, step, attempt, channel, offset, streams } = frame;
  if (streams !== undefined) return { seq, streams };
  if (step === undefined || attempt === undefined) return { seq, streams: [] };
  return { seq, streams: [{ step, attempt, channel: channel ?? 'answer', offset: offset ?? 0 }] };
}

/** Units received of one stream; a stream that is not named starts at 0. */
export function offsetIn(cursor: Cursor, step: number, attempt: number, channel: Channel): number {
  return cursor.streams.find((s) => s.step === step && s.attempt === attempt && s.channel === channel)?.offset ?? 0;
}
