// Charts as SVG: a pure function from figures to text. One picture serves light and dark pages, has its own ground, uses
// whatever font the reader has, and says in words what it shows.

import type { Chart } from './benchmark.ts';
import { drawPanel, escapeXml } from './chart-panel.ts';
import { toMeasured, toRatio } from './figure-text.ts';

const style = `
svg { color-scheme: light dark; font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif }
text { fill: #1f2328 } .ground { fill: #ffffff; stroke: #d1d9e0 }
.name { font-size: 14px; font-weight: 600 } .group { font-weight: 600 } .quiet { fill: #59636e; font-size: 11px }
.end { text-anchor: end } .middle { text-anchor: middle } .label { font-variant-numeric: tabular-nums }
.grid { stroke: #e6eaef; fill: none } .range { stroke: #1f2328; fill: none }
.candor { fill: #1a7f37 } .rival { fill: #bf6a02 } .reference { fill: #818b98 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .ground { fill: #0d1117; stroke: #30363d } .quiet { fill: #9198a1 }
.grid { stroke: #21262d } .range { stroke: #e6edf3 }
.candor { fill: #3fb950 } .rival { fill: #d29922 } .reference { fill: #6e7681 } }`;

const marginPx = 20;
const gapPx = 36;

export interface ChartOptions {
  /** Of the whole picture, for those who hear it. */
  readonly title: string;
  readonly columns: number;
  /** Of one panel. */
  readonly panelPx: number;
}

/** Each panel is set below the shortest column, all equally wide. */
export function drawChart(charts: readonly Chart[], { title, columns, panelPx }: ChartOptions): string {
  const endsPx = Array.from({ length: Math.min(columns, charts.length) }, () => marginPx);
  const parts = charts.map((chart) => {
    const { svg, heightPx } = drawPanel(chart, panelPx);
    const y = Math.min(...endsPx);
    const column = endsPx.indexOf(y);
    endsPx[column] = y + heightPx + marginPx;
    return `<g transform="translate(${marginPx + column * (panelPx + gapPx)} ${y})">\n${svg}\n</g>`;
  });
  const width = endsPx.length * (panelPx + gapPx) - gapPx + 2 * marginPx;
  const height = Math.max(...endsPx);
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-labelledby="title description">
<title id="title">${escapeXml(title)}</title>
<desc id="description">${escapeXml(charts.map(toAltText).join(' '))}</desc>
<style>${style}
</style>
<rect class="ground" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="6"/>
${parts.join('\n')}
</svg>
`;
}

/** What a chart shows, in words. */
export function toAltText({ title, unit, better, groups }: Chart): string {
  const told = groups.map(({ label, marks }) => {
    const each = marks.map((mark) => {
      const ratio = toRatio(mark, marks);
      return `${mark.label} ${toMeasured(mark, unit)}${ratio === null ? '' : `, ${ratio}`}`;
    });
    return `${label === '' ? '' : `${label}: `}${each.join('; ')}.`;
  });
  return [`${title}; medians with ranges, ${better} is better.`, ...told].join(' ');
}
