// What is under way, as rows that may still change, on a screen that keeps its last rows only. Rows that no longer fit are
// printed for good; should one of those change afterwards – its text was withdrawn – a row says so and what holds now
// follows, so that nothing outdated is left looking like the answer.

import { plainOf, row, type Row } from './row.ts';

export interface Placed {
  /** For good. */
  readonly done: readonly Row[];
  readonly region: readonly Row[];
}

export interface OpenSection {
  /** @param rows the whole section. @param room rows that the region may have */
  place(rows: readonly Row[], room: number): Placed;
  /** The section is over: all of it for good. */
  finish(rows: readonly Row[]): readonly Row[];
  /** The same text in another width: what was printed is found again by its letters. */
  relaid(rows: readonly Row[]): void;
}

export function createOpenSection(): OpenSection {
  /** Plain text of the rows that were printed for good. */
  let printed: readonly string[] = [];

  const corrected = (rows: readonly Row[]): readonly Row[] => {
    const outdated = printed.findIndex((text, index) => text !== plainOf(rows[index] ?? []));
    const isGone = outdated !== -1 || printed.length > rows.length;
    if (!isGone) return [];
    const kept = outdated === -1 ? rows.length : outdated;
    const count = printed.length - kept;
    printed = printed.slice(0, kept);
    return [row(`↑ withdrawn: the ${count === 1 ? 'row' : `${count} rows`} above; what holds follows`, 'warning')];
  };

  return {
    place(rows, room) {
      const correction = corrected(rows);
      const rest = rows.slice(printed.length);
      const leaving = rest.slice(0, Math.max(0, rest.length - room));
      printed = [...printed, ...leaving.map(plainOf)];
      return { done: [...correction, ...leaving], region: rest.slice(leaving.length) };
    },
    finish(rows) {
      const done = [...corrected(rows), ...rows.slice(printed.length)];
      printed = [];
      return done;
    },
    relaid(rows) {
      const seen = lettersOf(printed.join(''));
      let letters = 0;
      let count = 0;
      for (const line of rows) {
        letters += lettersOf(plainOf(line));
        if (letters > seen) break;
        count += 1;
      }
      printed = seen === 0 ? [] : rows.slice(0, count).map(plainOf);
    },
  };
}

const lettersOf = (text: string): number => text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
