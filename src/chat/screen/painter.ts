// Draws the lower part of the terminal: rows that stay, then a region that may change. Only rows that differ are written,
// in one piece, so that nothing flickers and a slow line carries little. It is told only rows that fit: none wraps.

import { plainOf, type Paint, type Row } from './row.ts';
import { columnsOf } from '../text/width.ts';

export interface Place {
  /** Of the region, from 0. */
  readonly row: number;
  /** From 0. */
  readonly column: number;
}

export interface Frame {
  /** Printed above the region for good. */
  readonly done: readonly Row[];
  /** Fewer than the terminal has rows. */
  readonly region: readonly Row[];
  readonly cursor: Place;
}

export interface Painter {
  draw(frame: Frame): void;
  /** Takes the region away: the terminal has another width, or is another program's for a while. */
  erase(columns: number, rows: number): void;
}

const sequence = {
  /** Terminals that know it show the frame at once; the others ignore it. */
  begin: '\u001b[?2026h\u001b[?25l',
  end: '\u001b[?25h\u001b[?2026l',
  clearRight: '\u001b[K',
  clearBelow: '\u001b[J',
} as const;

const up = (rows: number): string => (rows > 0 ? `\u001b[${rows}A` : rows < 0 ? `\u001b[${-rows}B` : '');
const right = (columns: number): string => (columns > 0 ? `\u001b[${columns}C` : '');

export function createPainter(write: (text: string) => void, paint: Paint): Painter {
  /** The region as it stands, and where the cursor is in it. */
  let shown: readonly string[] = [''];
  let widths: readonly number[] = [0];
  let cursor: Place = { row: 0, column: 0 };

  return {
    draw({ done, region, cursor: wanted }) {
      const rows = region.length === 0 ? [[]] : region;
      const painted = rows.map(paint);
      const next = [...done.map(paint), ...painted];
      const same = firstDifference(shown, next);
      let at = Math.min(same, shown.length - 1);
      let out = up(cursor.row - at) + '\r';
      if (same >= next.length && same < shown.length) out += sequence.clearBelow;
      for (let index = same; index < next.length; index++) {
        if (index > at) {
          out += '\r\n';
          at = index;
        }
        out += (next[index] ?? '') + (index === next.length - 1 ? sequence.clearBelow : sequence.clearRight);
      }
      const target = done.length + Math.min(wanted.row, rows.length - 1);
      out += `${up(at - target)}\r${right(wanted.column)}`;
      const moved = target - done.length !== cursor.row || wanted.column !== cursor.column;
      if (same < Math.max(next.length, shown.length) || moved) write(sequence.begin + out + sequence.end);
      shown = painted;
      widths = rows.map((line) => columnsOf(plainOf(line)));
      cursor = { row: target - done.length, column: wanted.column };
    },
    erase(columns, rows) {
      // A narrower terminal has broken the rows that were longer than it is now.
      const taken = (width: number): number => Math.max(1, Math.ceil(width / columns));
      const above = widths.slice(0, cursor.row).reduce((sum, width) => sum + taken(width), 0);
      const height = Math.min(above + Math.floor(cursor.column / columns), rows - 1);
      write(`${up(height)}\r${sequence.clearBelow}`);
      shown = [''];
      widths = [0];
      cursor = { row: 0, column: 0 };
    },
  };
}

function firstDifference(a: readonly string[], b: readonly string[]): number {
  const index = a.findIndex((line, at) => line !== b[at]);
  return index === -1 ? a.length : index;
}
