// What a gateway knows of one turn, and who is told when that changes. The lane, the looks at the durable side and the end
// all write into it; a reader that was shown what is no longer true is set back before it is told.

import type { SequencedEvent } from '../protocol/events.ts';
import type { TurnId } from '../protocol/ids.ts';
import { emptyTranscript, sameEvent, terminalOf, type Transcript } from '../protocol/transcript.ts';
import type { TurnMemo } from '../protocol/turn.ts';

/** Somebody who follows the turn. The feed says that something changed; the reader asks for what it lacks. */
export interface FeedReader {
  /** @param textMs when the new text was emitted (epoch); `null`: none came, or it did not come by the lane */
  changed(textMs: number | null): void;
  /** What was sent after `seq` is no longer true; it comes again in another form. */
  rewind(seq: number): void;
}

export interface FeedState {
  readonly turnId: TurnId;
  readonly memo: TurnMemo;
  readonly transcript: Transcript;
  /** The turn has its end here, or the feed was closed. */
  readonly isOver: boolean;
  /** Aborted when the feed is closed. */
  readonly signal: AbortSignal;
  readonly readers: Set<FeedReader>;
  /** Replaces the transcript and tells everybody; nothing happens when it is the same one. `textMs` as readers get it. */
  set(next: Transcript, textMs?: number | null): void;
  close(): void;
}

/** @param changed told after the readers */
export function createFeedState(turnId: TurnId, memo: TurnMemo, changed: () => void): FeedState {
  const closing = new AbortController();
  const readers = new Set<FeedReader>();
  let transcript: Transcript = emptyTranscript;
  return {
    turnId,
    memo,
    readers,
    signal: closing.signal,
    get transcript() {
      return transcript;
    },
    get isOver() {
      return closing.signal.aborted || terminalOf(transcript) !== null;
    },
    set(next, textMs = null) {
      if (next === transcript) return;
      const divergence = firstDifference(transcript.log, next.log);
      transcript = next;
      if (divergence !== null) for (const reader of [...readers]) reader.rewind(divergence);
      for (const reader of [...readers]) reader.changed(textMs);
      changed();
    },
    close: () => closing.abort(),
  };
}

/** Index of the last event that both logs share, when what follows it in the old one is no longer true. */
function firstDifference(before: readonly SequencedEvent[], after: readonly SequencedEvent[]): number | null {
  if (before === after) return null;
  for (const [index, event] of before.entries()) {
    const now = after[index];
    if (now === event) continue;
    if (now === undefined || !sameEvent(now, event)) return index;
  }
  return null;
}
