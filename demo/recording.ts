// The recording of a demonstration: an SVG that plays the rows in the time they took. No script, so that it plays where
// a README is shown; readers who want no motion see the end.

import { textWidth, whoWidth, wrap, type Row, type Tone } from './stage.ts';

const [charWidth, lineHeight, margin] = [7.25, 19, 16];
const colours: Record<Tone, string> = { plain: '#e6edf3', good: '#56d364', bad: '#ff7b72', quiet: '#8b949e' };

interface Piece {
  readonly text: string;
  readonly atMs: number;
}

export function toSvg(rows: readonly Row[], title: string): string {
  const pieces: string[] = [];
  let line = 0;
  for (const row of rows) {
    const lines = toLines(row);
    const first = lines[0]?.[0]?.atMs ?? 0;
    pieces.push(toText(0, line, colours.quiet, [{ text: row.who, atMs: first }]));
    for (const pieceLine of lines) {
      pieces.push(toText(whoWidth, line, colours[row.tone], pieceLine));
      if (row.withdrawnAtMs !== null) pieces.push(toStrike(line, pieceLine, row.withdrawnAtMs));
      line += 1;
    }
  }
  const width = Math.ceil(2 * margin + (whoWidth + textWidth) * charWidth);
  const height = 2 * margin + line * lineHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${toXml(title)}</title>`,
    '<style>text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre}',
    '@media (prefers-reduced-motion:no-preference){.at{fill-opacity:0;stroke-opacity:0;animation:in 1ms forwards}@keyframes in{to{fill-opacity:1;stroke-opacity:1}}}</style>',
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    ...pieces,
    '</svg>\n',
  ].join('\n');
}

/** The row's text as it is wrapped, each piece with its time. */
function toLines({ spans }: Row): Piece[][] {
  const whole = spans.map(({ text }) => text).join('');
  const times = spans.flatMap(({ text, atMs }) => Array.from({ length: text.length }, () => atMs));
  let from = 0;
  return wrap(whole).map((text) => {
    const start = whole.indexOf(text, from);
    from = start + text.length;
    const pieces: { text: string; atMs: number }[] = [];
    for (let index = 0; index < text.length; index++) {
      const atMs = times[start + index] ?? 0;
      const last = pieces.at(-1);
      if (last !== undefined && last.atMs === atMs) last.text += text[index];
      else pieces.push({ text: text[index] ?? '', atMs });
    }
    return pieces;
  });
}

const x = (column: number): string => (margin + column * charWidth).toFixed(1);
const y = (line: number): number => margin + (line + 0.75) * lineHeight;
const delay = (atMs: number): string => `class="at" style="animation-delay:${(atMs / 1_000).toFixed(2)}s"`;

function toText(column: number, line: number, colour: string, pieces: readonly Piece[]): string {
  const spans = pieces.map(({ text, atMs }) => `<tspan ${delay(atMs)}>${toXml(text)}</tspan>`);
  // Fonts differ: the length is given, so that the picture keeps its measures.
  const length = pieces.reduce((sum, { text }) => sum + text.length, 0) * charWidth;
  return `<text x="${x(column)}" y="${y(line)}" fill="${colour}" textLength="${length.toFixed(1)}" lengthAdjust="spacingAndGlyphs">${spans.join('')}</text>`;
}

function toStrike(line: number, pieces: readonly Piece[], atMs: number): string {
  const length = pieces.reduce((sum, { text }) => sum + text.length, 0) * charWidth;
  const [left, top] = [x(whoWidth), y(line) - 4];
  return `<g ${delay(atMs)}><rect x="${left}" y="${top - 9}" width="${length.toFixed(1)}" height="15" fill="#0d1117" opacity="0.55"/><path d="M${left} ${top}h${length.toFixed(1)}" stroke="#ff7b72" stroke-width="1.4"/></g>`;
}

const toXml = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
