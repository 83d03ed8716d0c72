/**
 * Streams a text while watching for marks in it that may arrive cut in pieces: what could still become a mark is held
 * back, because text once sent cannot be taken back.
 */

/** Where the longest suffix of `text` that is a beginning of one of `marks` starts; its length when there is none. */
export function findHeldFrom(text: string, marks: readonly string[]): number {
  const longest = Math.max(0, ...marks.map((mark) => mark.length - 1));
  for (let from = Math.max(0, text.length - longest); from < text.length; from += 1) {
    const suffix = text.slice(from);
    if (marks.some((mark) => mark.startsWith(suffix))) return from;
  }
  return text.length;
}

export type StopFilter = {
  /** `text` may be sent; `stopped` once a stop string was met, which itself is never sent. */
  readonly push: (piece: string) => { readonly text: string; readonly stopped: boolean };
  /** What was held back, at an end without a stop string. */
  readonly flush: () => string;
};

export function createStopFilter(stops: readonly string[]): StopFilter {
  let held = '';
  return {
    push: (piece) => {
      held += piece;
      const found = stops.map((stop) => held.indexOf(stop)).filter((index) => index >= 0);
      const stopped = found.length > 0;
      const until = stopped ? Math.min(...found) : findHeldFrom(held, stops);
      const text = held.slice(0, until);
      held = stopped ? '' : held.slice(until);
      return { text, stopped };
    },
    flush: () => {
      const text = held;
      held = '';
      return text;
    },
  };
}
