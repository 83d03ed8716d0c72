// Reports as Markdown, for the terminal and for documents alike.

import type { Bar, Chart, Report, Table } from './benchmark.ts';
import { toNumber, toRatio } from './figure-text.ts';

export const toMarkdown = ({ tables, bars, charts = [] }: Report): string =>
  [...tables, ...charts.map(toRatioTable), toBarTable(bars)].map(toTable).join('\n');

/** What was measured side by side, each beside the first. */
const toRatioTable = ({ title, unit, groups }: Chart): Table => ({
  title: `Side by side: ${title}`,
  head: ['', '', `median, ${unit}`, 'min–max', 'ratio'],
  rows: groups.flatMap(({ label, marks }) =>
    marks.map((mark) => [
      label,
      mark.label,
      toNumber(mark.median),
      `${toNumber(mark.min)}–${toNumber(mark.max)}`,
      toRatio(mark, marks) ?? '',
    ]),
  ),
});

const toBarTable = (bars: readonly Bar[]): Table => ({
  title: 'Bars',
  head: ['bar', 'measured', 'met'],
  rows: bars.map(({ bar, measured, met }) => [bar, measured, met ? 'yes' : 'no']),
});

export function toTable({ title, head, rows }: Table): string {
  return [`### ${title}\n`, toRows(head, rows), ''].join('\n');
}

export function toRows(head: Table['head'], rows: Table['rows']): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
