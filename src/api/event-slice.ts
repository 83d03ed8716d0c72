// How much of what a reader lacks is sent at once. Whoever comes back to a long answer, or has not read for a while, gets
// it piece by piece, each when the network has taken the last one: what waits for a reader stays small, whatever it lacks.

import type { Delta, TurnEvent } from '../protocol/events.ts';

export interface EventSlice {
  readonly events: readonly TurnEvent[];
  /** There is more behind it. */
  readonly isCut: boolean;
}

/** Of one slice, about. One event that cannot be cut may be longer: a whole answer. */
export const sliceChars = 64 * 1024;

/** What an event weighs beside its text, about. */
const envelopeChars = 300;
/** A text is not cut into pieces that are mostly envelope. */
const minTextChars = 1_024;

/** The beginning of `events` of about `maxChars`, the first of them always. Texts that arrive in pieces may be cut. */
export function sliceEvents(events: readonly TurnEvent[], maxChars: number): EventSlice {
  let left = maxChars;
  for (const [index, event] of events.entries()) {
    const chars = envelopeChars + ('text' in event ? event.text.length : 0);
    if (chars > left) {
      if (event.type === 'delta') return cutIn(events, index, event, Math.max(left - envelopeChars, minTextChars));
      if (index > 0) return { events: events.slice(0, index), isCut: true };
    }
    left -= chars;
  }
  return { events, isCut: false };
}

function cutIn(events: readonly TurnEvent[], index: number, delta: Delta, maxTextChars: number): EventSlice {
  const before = events.slice(0, index);
  const text = toWholeCharacters(delta.text.slice(0, maxTextChars));
  return {
    events: [...before, { ...delta, text }],
    isCut: text.length < delta.text.length || index + 1 < events.length,
  };
}

/** Without the first half of a surrogate pair at its end. */
const toWholeCharacters = (text: string): string => (/[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text);
