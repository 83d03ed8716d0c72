// One chart as a stack of lines and bars: the text of a mark stands above its bar, so that no label is ever longer than
// its place, and the whisker tells the smallest and the largest that was measured.

import type { Chart, Mark, MarkGroup } from './benchmark.ts';
import { createScale, type Scale } from './chart-scale.ts';
import { toMeasured, toNumber, toRatio } from './figure-text.ts';

export interface Panel {
  readonly svg: string;
  readonly heightPx: number;
}

/** Of the widest of the usual fonts, on average. */
const charPx = 6.5;
const nameCharPx = 8.3;
const linePx = 16;
const barPx = 10;

/** Drawn from the origin to the right and down. */
export function drawPanel(chart: Chart, widthPx: number): Panel {
  const values = chart.groups.flatMap(({ marks }) => marks.flatMap(({ median, min, max }) => [median, min, max]));
  const scale = createScale(chart.scale, values, widthPx);
  const parts: string[] = [];
  let y = 0;
  const write = (text: string, kind: string): void => {
    for (const line of wrap(text, widthPx, kind === 'name' ? nameCharPx : charPx)) {
      y += linePx;
      parts.push(textAt(0, y - 4, line, kind));
    }
  };
  write(chart.title, 'name');
  write(`${chart.unit}${chart.scale === 'log' ? ', logarithmic' : ''}, ${chart.better} is better`, 'quiet');
  const top = y + 4;
  for (const group of chart.groups) {
    y += 8;
    if (group.label !== '') write(group.label, 'group');
    for (const mark of group.marks) {
      const { lines, value } = toLines(mark, group, chart.unit, widthPx);
      for (const line of lines) write(line, 'label');
      parts.push(textAt(widthPx, y - 4, value, 'label end'), ...drawBar(mark, scale, y));
      y += barPx + 4;
    }
  }
  const axis = scale.ticks.map((tick) => drawTick(tick, scale, top, y, widthPx));
  return { svg: [...axis, ...parts].join('\n'), heightPx: y + linePx + 4 };
}

/** The label's lines, and the value that stands at the end of the last one. */
function toLines(mark: Mark, { marks }: MarkGroup, unit: string, widthPx: number) {
  const ratio = toRatio(mark, marks);
  const value = `${toMeasured(mark, unit)}${ratio === null ? '' : ` · ${ratio}`}`;
  const lines = wrap(mark.label, widthPx);
  const last = lines.at(-1) ?? '';
  return { lines: fits(`${last}  ${value}`, widthPx) ? lines : [...lines, ''], value };
}

function drawBar({ kind, median, min, max }: Mark, scale: Scale, y: number): readonly string[] {
  const [middle, from, to] = [y + barPx / 2, scale.at(min), scale.at(max)].map(round) as [number, number, number];
  const cap = (x: number): string => `M${x} ${y + 2}V${y + barPx - 2}`;
  return [
    `<rect class="${kind}" x="0" y="${y}" width="${round(Math.max(1, scale.at(median)))}" height="${barPx}" rx="1"/>`,
    `<path class="range" d="M${from} ${middle}H${to}${cap(from)}${cap(to)}"/>`,
  ];
}

function drawTick(tick: number, scale: Scale, top: number, bottom: number, widthPx: number): string {
  const x = round(scale.at(tick));
  const side = x < 12 ? '' : x > widthPx - 12 ? ' end' : ' middle';
  return `<path class="grid" d="M${x} ${top}V${bottom}"/>${textAt(x, bottom + 13, toNumber(tick), `quiet${side}`)}`;
}

const textAt = (x: number, y: number, text: string, kind: string): string =>
  text === '' ? '' : `<text class="${kind}" x="${x}" y="${y}">${escapeXml(text)}</text>`;

const round = (px: number): number => Math.round(px * 10) / 10;
const fits = (text: string, widthPx: number, onePx = charPx): boolean => text.length * onePx <= widthPx;

function wrap(text: string, widthPx: number, onePx = charPx): readonly string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = `${lines.at(-1)} ${word}`.trim();
    if (lines.at(-1) === '' || fits(line, widthPx, onePx)) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

export const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] ?? char);
