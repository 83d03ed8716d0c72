// A short hash of a log, for cursors: by it a gateway sees that a reader was shown provisional events that another
// gateway has corrected since. It guards against accidents, not against people: a wrong hash costs its sender a longer
// answer and nothing else.

import { toCanonicalJson } from './canonical.ts';
import type { CursorFrame } from './cursor.ts';
import type { SequencedEvent } from './events.ts';
import { cursorOf, type Transcript } from './transcript.ts';

const [offsetBasis, prime] = [0x811c9dc5, 0x01000193];

/**
 * FNV-1a, 32 bits, as eight lower-case hex digits, over the UTF-8 of the canonical JSON of each event, a line feed behind
 * each.
 *
 * @param seq the log's length that counts
 */
export function logHash(log: readonly SequencedEvent[], seq = log.length): string {
  const encoder = new TextEncoder();
  let hash = offsetBasis;
  for (const event of log.slice(0, seq)) {
    for (const byte of encoder.encode(`${toCanonicalJson(event)}\n`)) hash = Math.imul(hash ^ byte, prime);
  }
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** A reader's cursor as it sends it: with the hash by which a gateway sees whether the reader's log is still true. */
export function toCursorFrame(transcript: Transcript): CursorFrame {
  return { ...cursorOf(transcript), log: logHash(transcript.log) };
}
