// The text of one stream as rows, in pieces as it grows: controls are taken out, markdown is laid out, and both remember
// where they stand. A text that is not what was shown goes on from its beginning.

import { createGrowingMarkdown } from '../markdown/growing.ts';
import { row, span, type Row } from '../screen/row.ts';
import { wrapWords } from '../screen/wrap.ts';
import { createControlFilter, type ControlFilter } from '../text/control-filter.ts';

export interface StreamedText {
  rows(text: string, isWhole: boolean): readonly Row[];
  /** How many of the rows that were given last stay as they are, unless the text is withdrawn. */
  readonly settled: number;
  /** UTF-16 units of controls that were taken out. */
  readonly removedUnits: number;
}

/** An answer: markdown. */
export function createStreamedAnswer(columns: number): StreamedText {
  const markdown = createGrowingMarkdown(columns);
  return createStreamedText(
    (clean, isWhole) => markdown.rows(clean, isWhole),
    () => markdown.settled,
  );
}

/** Reasoning: what a model thinks is not written for reading, and stands apart from what it answers. */
export function createStreamedReasoning(columns: number): StreamedText {
  return createStreamedText(
    (clean) =>
      wrapWords([span(clean.trim(), 'quiet')], columns - 2).map((line): Row => [...row('┊ ', 'quiet'), ...line]),
    // Only the last row of running text still changes.
    (rows) => Math.max(0, rows - 1),
  );
}

function createStreamedText(
  layOut: (clean: string, isWhole: boolean) => readonly Row[],
  settledOf: (rows: number) => number,
): StreamedText {
  let filter: ControlFilter;
  let fed: string;
  let clean: string;
  let shown: { readonly isWhole: boolean; readonly rows: readonly Row[] } | null;
  const restart = (): void => {
    filter = createControlFilter();
    fed = '';
    clean = '';
    shown = null;
  };
  restart();
  return {
    rows(text, isWhole) {
      if (shown !== null && fed === text && shown.isWhole === isWhole) return shown.rows;
      if (shown?.isWhole === true || !text.startsWith(fed)) restart();
      clean += filter.push(text.slice(fed.length));
      fed = text;
      if (isWhole) clean += filter.end();
      const rows = layOut(clean, isWhole);
      shown = { isWhole, rows };
      return rows;
    },
    get settled() {
      if (shown === null) return 0;
      return shown.isWhole ? shown.rows.length : settledOf(shown.rows.length);
    },
    get removedUnits() {
      return filter.removedUnits;
    },
  };
}
