// How many columns a text takes. Terminals do not agree on joined emoji: for breaking lines the widest reading counts, so
// that a row never wraps by itself and the painter's count of rows stays true.

import stringWidth from 'string-width';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const ascii = /^[ -~]*$/;

export interface Grapheme {
  readonly text: string;
  /** At most so many columns, in any terminal. */
  readonly columns: number;
}

export function graphemes(text: string): readonly Grapheme[] {
  if (ascii.test(text)) return Array.from(text, (char) => ({ text: char, columns: 1 }));
  return Array.from(segmenter.segment(text), ({ segment }) => ({ text: segment, columns: widestOf(segment) }));
}

/** Columns at most; see the header. */
export function columnsOf(text: string): number {
  if (ascii.test(text)) return text.length;
  return graphemes(text).reduce((sum, { columns }) => sum + columns, 0);
}

const known = (text: string): number => stringWidth(text, { countAnsiEscapeCodes: true });

function widestOf(grapheme: string): number {
  if (ascii.test(grapheme)) return grapheme.length;
  let apart = 0;
  for (const point of grapheme) apart += known(point);
  return Math.max(known(grapheme), apart);
}
