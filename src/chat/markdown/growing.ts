// Markdown that still grows, as rows. Blocks before the last one are over: they are laid out once, and only the source from
// the last block on is read again with each piece. So the cost of a piece is that of its block, not of the answer.

import type { Definition } from 'mdast';
import type { Row } from '../screen/row.ts';
import { blockRows } from './blocks.ts';
import { closeOpenMarks } from './open-marks.ts';
import { parseMarkdown } from './parse.ts';

export interface GrowingMarkdown {
  /** All rows of the text so far. `text` begins with what was given before, else everything is laid out anew. */
  rows(text: string, isWhole: boolean): readonly Row[];
  /** How many of the rows that were given last are of blocks that are over. */
  readonly settled: number;
}

export function createGrowingMarkdown(columns: number): GrowingMarkdown {
  let source = '';
  let finished: readonly Row[] = [];
  /** Where the first block begins that is not finished. */
  let openFrom = 0;
  /** What links of later blocks refer to. */
  let definitions = '';

  const restart = (): void => {
    finished = [];
    openFrom = 0;
    definitions = '';
  };

  return {
    get settled() {
      return finished.length;
    },
    rows(text, isWhole) {
      if (!text.startsWith(source)) restart();
      source = text;
      const open = text.slice(openFrom);
      const { children } = parseMarkdown(definitions + open);
      const skipped = definitions.length;
      const own = children.filter((node) => (node.position?.start.offset ?? 0) >= skipped);
      const last = own.at(-1);
      for (const node of own) {
        if (node === last && !isWhole) break;
        finished = below(finished, blockRows(node, columns));
      }
      if (last === undefined || isWhole) {
        // Whole: what comes now would be another text.
        openFrom = text.length;
        return finished;
      }
      const lastFrom = lineStart(open, (last.position?.start.offset ?? 0) - skipped);
      openFrom += lastFrom;
      for (const node of own) if (node.type === 'definition' && node !== last) definitions += toSource(node);
      // An emphasis that is not closed yet is meant as one: its marks would be shown and then vanish.
      const shown = parseMarkdown(definitions + closeOpenMarks(open.slice(lastFrom), last.type));
      const rows = shown.children
        .filter((node) => (node.position?.start.offset ?? 0) >= definitions.length)
        .reduce<readonly Row[]>((above, node) => below(above, blockRows(node, columns)), []);
      return below(finished, rows);
    },
  };
}

const below = (above: readonly Row[], rows: readonly Row[]): readonly Row[] =>
  above.length === 0 ? rows : rows.length === 0 ? above : [...above, [], ...rows];

/** A block that is indented begins with its indent. */
const lineStart = (text: string, offset: number): number => text.lastIndexOf('\n', offset - 1) + 1;

const toSource = ({ label, identifier, url }: Definition): string => `[${label ?? identifier}]: <${url}>\n\n`;
