// Blocks of markdown as rows of a width. Pure, and as stable as markdown lets it be: text that is appended changes the last
// rows only, so a list stays tight whatever comes behind it, and a table settles its widths by its first rows.

import type { Code, List, ListItem, RootContent } from 'mdast';
import { row, span, type Row, type Span } from '../screen/row.ts';
import { wrapExactly, wrapWords } from '../screen/wrap.ts';
import { toSpans } from './inline.ts';
import { tableRows } from './table.ts';

/** Deeper ones are laid out in a column of this width at least: a row of one character says nothing. */
const leastColumns = 16;

export function blockRows(node: RootContent, columns: number): readonly Row[] {
  switch (node.type) {
    case 'paragraph':
      return wrapWords(toSpans(node.children), columns);
    case 'heading': {
      const marks = span(`${'#'.repeat(node.depth)} `, 'heading');
      return wrapWords([marks, ...toSpans(node.children, ['heading'])], columns);
    }
    case 'code':
      return codeRows(node, columns);
    case 'list':
      return listRows(node, columns);
    case 'blockquote':
      return indented(childRows(node.children, within(columns, 2)), span('│ ', 'quiet'), span('│ ', 'quiet'));
    case 'table':
      return tableRows(node, columns);
    case 'thematicBreak':
      return [row('─'.repeat(Math.min(columns, 40)), 'quiet')];
    case 'html':
      return wrapExactly([span(node.value, 'code')], columns);
    case 'footnoteDefinition': {
      const mark = `[^${node.label ?? node.identifier}] `;
      return indented(childRows(node.children, within(columns, mark.length)), span(mark, 'quiet'), blank(mark.length));
    }
    case 'definition':
      return wrapWords([span(`[${node.label ?? node.identifier}]: ${node.url}`, 'quiet')], columns);
    default:
      return 'children' in node ? childRows(node.children, columns) : [];
  }
}

/** Blocks one below the other, an empty row between them. */
function childRows(nodes: readonly RootContent[], columns: number): readonly Row[] {
  return nodes.flatMap((node, index) => {
    const rows = blockRows(node, columns);
    return index === 0 ? rows : [[], ...rows];
  });
}

function codeRows({ lang, value }: Code, columns: number): readonly Row[] {
  const label = lang === null || lang === undefined || lang === '' ? [] : [row(`  ${lang}`, 'quiet')];
  const rows = wrapExactly([span(value, 'code')], within(columns, 2));
  return [...label, ...indented(rows, blank(2), blank(2))];
}

function listRows({ children, ordered, start }: List, columns: number): readonly Row[] {
  const first = start ?? 1;
  const isOrdered = ordered === true;
  // The last number may still come: the width is that of two digits, and grows with the list's own first one.
  const width = isOrdered ? Math.max(2, String(first).length) + 2 : 2;
  return children.flatMap((item, index) => itemRows(item, isOrdered ? `${first + index}.` : '•', width, columns));
}

function itemRows(item: ListItem, bullet: string, width: number, columns: number): readonly Row[] {
  const box = item.checked === true ? '[x] ' : item.checked === false ? '[ ] ' : '';
  const rows = item.children.flatMap((child, index) => {
    const lines = blockRows(child, within(columns, width));
    // Only an item of several paragraphs needs air; a list within it does not.
    return index > 0 && child.type !== 'list' ? [[], ...lines] : lines;
  });
  const [head = [], ...rest] = rows;
  const mark = bullet.padEnd(Math.max(width, bullet.length + 1));
  return indented([[...row(box, 'quiet'), ...head], ...rest], span(mark, 'quiet'), blank(width));
}

const within = (columns: number, indent: number): number => Math.max(leastColumns, columns - indent);
const blank = (columns: number): Span => span(' '.repeat(columns));

const indented = (rows: readonly Row[], first: Span, rest: Span): readonly Row[] =>
  rows.map((line, index): Row =>
    index === 0 ? [first, ...line] : line.length === 0 && rest.text.trim() === '' ? [] : [rest, ...line],
  );
