// A table as rows: columns as wide as their cells while there is room, else shared out and wrapped.

import type { Table, TableCell } from 'mdast';
import { row, rowColumns, span, type Row } from '../screen/row.ts';
import { wrapWords } from '../screen/wrap.ts';
import { toSpans } from './inline.ts';

/** Widths are settled by the first rows, so that a table that grows does not change what stands already. */
const settlingRows = 8;
const separator = ' │ ';
const narrowest = 4;

export function tableRows({ children, align }: Table, columns: number): readonly Row[] {
  const cells = children.map((line) => line.children.map(cellSpans));
  const count = Math.max(0, ...cells.map((line) => line.length));
  if (count === 0) return [];
  const room = columns - separator.length * (count - 1);
  // Too many columns for any table: each row as a list of its cells.
  if (room < count * narrowest) return cells.flatMap((line) => asList(line, columns));
  const widths = shareOut(naturalWidths(cells.slice(0, settlingRows + 1), count), room);
  const rows = cells.flatMap((line, index) => {
    const body = tableRow(line, widths, align ?? [], index === 0);
    return index === 0 ? [...body, row(widths.map((width) => '─'.repeat(width)).join('─┼─'), 'quiet')] : body;
  });
  return rows;
}

const cellSpans = (cell: TableCell): Row => toSpans(cell.children);

const naturalWidths = (cells: readonly (readonly Row[])[], count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) =>
    Math.max(narrowest, ...cells.map((line) => rowColumns(line[index] ?? []))),
  );

/** Narrow columns keep their width; the wide ones share what is left evenly. */
function shareOut(natural: readonly number[], room: number): readonly number[] {
  let left = room;
  let open = natural.length;
  const widths = natural.map(() => 0);
  const byWidth = natural.map((width, index) => ({ width, index })).sort((a, b) => a.width - b.width);
  for (const { width, index } of byWidth) {
    widths[index] = Math.max(1, Math.min(width, Math.floor(left / open)));
    left -= widths[index] ?? 0;
    open -= 1;
  }
  return widths;
}

function tableRow(
  cells: readonly Row[],
  widths: readonly number[],
  align: readonly (string | null | undefined)[],
  isHead: boolean,
): readonly Row[] {
  const wrapped = widths.map((width, index) => {
    const cell = cells[index] ?? [];
    return wrapWords(isHead ? cell.map(({ text, roles }) => span(text, ...roles, 'strong')) : cell, width);
  });
  const height = Math.max(1, ...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    widths.flatMap((width, index) => {
      const text = wrapped[index]?.[line] ?? [];
      const isLast = index === widths.length - 1;
      const placed = place(text, width, align[index] ?? 'left', isLast);
      return isLast ? placed : [...placed, span(separator, 'quiet')];
    }),
  );
}

function place(text: Row, width: number, align: string, isLast: boolean): Row {
  const free = Math.max(0, width - rowColumns(text));
  const before = align === 'right' ? free : align === 'center' ? Math.floor(free / 2) : 0;
  const after = isLast ? 0 : free - before;
  return [...row(' '.repeat(before)), ...text, ...row(' '.repeat(after))];
}

const asList = (cells: readonly Row[], columns: number): readonly Row[] => [
  ...cells.flatMap((cell) =>
    wrapWords(cell, columns - 2).map((line, index): Row => [span(index === 0 ? '- ' : '  ', 'quiet'), ...line]),
  ),
  [],
];
