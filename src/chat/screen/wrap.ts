// Breaks spans into rows of a width: between words, within a word that is longer than a row, and beside wide characters,
// whose scripts have no spaces. Never changes the text but for the white space at a break.

import { graphemes } from '../text/width.ts';
import type { Role, Row, Span } from './row.ts';

interface Piece {
  readonly text: string;
  readonly roles: readonly Role[];
  readonly columns: number;
}

/** Prose. A line feed in the text is a break. At least one row. */
export function wrapWords(spans: readonly Span[], columns: number): readonly Row[] {
  const width = Math.max(1, columns);
  const rows: Piece[][] = [];
  let line: Piece[] = [];
  let used = 0;
  let spaces: Piece[] = [];
  let word: Piece[] = [];

  const breakLine = (): void => {
    rows.push(line);
    line = [];
    used = 0;
    spaces = [];
  };
  const endWord = (): void => {
    if (word.length === 0) return;
    const wordColumns = sum(word);
    const gap = sum(spaces);
    if (used > 0 && used + gap + wordColumns > width) breakLine();
    else {
      line.push(...spaces);
      used += gap;
      spaces = [];
    }
    for (const piece of word) {
      if (used > 0 && used + piece.columns > width) breakLine();
      line.push(piece);
      used += piece.columns;
    }
    word = [];
  };

  for (const piece of pieces(spans)) {
    if (piece.text === '\n') {
      endWord();
      breakLine();
    } else if (piece.text === ' ') {
      endWord();
      if (used > 0) spaces.push(piece);
    } else if (piece.columns > 1) {
      endWord();
      word.push(piece);
      endWord();
    } else word.push(piece);
  }
  endWord();
  rows.push(line);
  return rows.map(join);
}

/** Code: white space counts, only what is too long is broken. */
export function wrapExactly(spans: readonly Span[], columns: number): readonly Row[] {
  const width = Math.max(1, columns);
  const rows: Piece[][] = [];
  let line: Piece[] = [];
  let used = 0;
  for (const piece of pieces(spans)) {
    const isBreak = piece.text === '\n';
    if (isBreak || (used > 0 && used + piece.columns > width)) {
      rows.push(line);
      line = [];
      used = 0;
    }
    if (isBreak) continue;
    line.push(piece);
    used += piece.columns;
  }
  rows.push(line);
  return rows.map(join);
}

/** One row; what does not fit is cut, and `…` says so. */
export function cutToWidth(line: Row, columns: number): Row {
  const all = pieces(line);
  if (sum(all) <= columns) return line;
  const kept: Piece[] = [];
  let used = 0;
  for (const piece of all) {
    if (used + piece.columns > columns - 1) break;
    kept.push(piece);
    used += piece.columns;
  }
  return join([...kept, { text: '…', roles: kept.at(-1)?.roles ?? [], columns: 1 }]);
}

const sum = (list: readonly Piece[]): number => list.reduce((total, { columns }) => total + columns, 0);

/** What a tab stands for does not depend on where it stands: rows are moved by indents and bullets. */
const tab = '    ';

const pieces = (spans: readonly Span[]): readonly Piece[] =>
  spans.flatMap(({ text, roles }) =>
    graphemes(text.replaceAll('\t', tab)).map(({ text: grapheme, columns }) => ({ text: grapheme, roles, columns })),
  );

function join(line: readonly Piece[]): Row {
  const spans: { text: string; roles: readonly Role[] }[] = [];
  for (const { text, roles } of line) {
    const last = spans.at(-1);
    if (last !== undefined && last.roles === roles) last.text += text;
    else spans.push({ text, roles });
  }
  return spans;
}
