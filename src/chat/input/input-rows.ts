// The line that is being written, as rows: broken where the terminal ends, with the cursor's place. A long paste shows the
// part around the cursor and says how much there is.

import { row, span, type Row } from '../screen/row.ts';
import type { Place } from '../screen/painter.ts';
import { graphemes } from '../text/width.ts';

export interface InputShown {
  readonly rows: readonly Row[];
  readonly cursor: Place;
}

const prompt = '› ';
const mostRows = 8;

export function inputRows(text: string, cursor: number, columns: number): InputShown {
  const width = Math.max(4, columns - prompt.length);
  const lines: string[] = [''];
  let used = 0;
  let units = 0;
  let place: Place = { row: 0, column: 0 };
  const startLine = (): void => {
    lines.push('');
    used = 0;
  };
  for (const { text: grapheme, columns: wide } of graphemes(text.replaceAll('\t', ' '))) {
    if (grapheme !== '\n' && used + wide > width) startLine();
    if (units <= cursor) place = { row: lines.length - 1, column: used };
    units += grapheme.length;
    if (grapheme === '\n') startLine();
    else {
      lines[lines.length - 1] += grapheme;
      used += wide;
    }
  }
  if (cursor >= units) {
    if (used >= width) startLine();
    place = { row: lines.length - 1, column: used };
  }
  const from = Math.max(0, Math.min(place.row - mostRows + 2, lines.length - mostRows));
  const shown = lines.slice(from, from + mostRows);
  const rows = shown.map((line, index): Row => {
    const head = from + index === 0 ? span(prompt, 'accent') : span('  ');
    return [head, span(line)];
  });
  const isCut = lines.length > mostRows;
  const all = isCut ? [...rows, row(`  ${lines.length} lines, ${text.length} characters`, 'quiet')] : rows;
  return { rows: all, cursor: { row: place.row - from, column: place.column + prompt.length } };
}
