// A chart shows every figure that it was given, in marks and in words, and no label lies outside of its picture.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Chart } from '../../bench/benchmark.ts';
import { createScale } from '../../bench/chart-scale.ts';
import { drawChart, toAltText } from '../../bench/chart.ts';
import { chart } from './measured.ts';

const draw = (...charts: Chart[]): string => drawChart(charts, { title: 'Tokens & more', columns: 2, panelPx: 420 });

describe('a chart', () => {
  test('has each mark with its median, its range and its ratio to the first', () => {
    const svg = draw(chart);
    expect(svg).toContain('>Candor</text>');
    expect(svg).toContain('>0.8 ms (0.5 to 4)</text>');
    expect(svg).toContain('>200 ms (100 to 1,980) · 250 ×</text>');
    expect(svg.match(/class="(candor|rival)"/g)).toEqual(['class="candor"', 'class="rival"']);
    expect(svg.match(/class="range"/g)).toHaveLength(2);
  });

  test('leaves out a range that is none', () => {
    const marks = [{ label: 'Candor', kind: 'candor' as const, median: 32, min: 32, max: 32 }];
    expect(draw({ ...chart, unit: 'events', groups: [{ label: '', marks }] })).toContain('>32 events</text>');
  });

  test('says what it shows to those who do not see it', () => {
    expect(draw(chart)).toContain('<title id="title">Tokens &amp; more</title>');
    expect(draw(chart)).toContain('aria-labelledby="title description"');
    expect(toAltText(chart)).toBe(
      'Time of a token <p95> & more; medians with ranges, less is better. 10 turns at once: Candor 0.8 ms (0.5 to 4); ' +
        'workflow-streams [200 ms] 200 ms (100 to 1,980), 250 ×.',
    );
  });

  test('has colours of its own for dark pages, and no font that has to be fetched', () => {
    expect(draw(chart)).toContain('@media (prefers-color-scheme: dark)');
    expect(draw(chart)).not.toMatch(/@import|@font-face|url\(|href/);
  });

  test('is the same for the same figures', () => {
    expect(draw(chart, chart)).toBe(draw(chart, chart));
  });

  test('escapes what a title may contain', () => {
    expect(draw(chart)).toContain('Time of a token &lt;p95&gt; &amp; more');
  });

  test('breaks a long label and puts the value below it', () => {
    const [group] = chart.groups;
    const label = 'gateway, Redis and worker as three processes on one machine with everything on it';
    const svg = draw({
      ...chart,
      groups: [{ label: '', marks: (group?.marks ?? []).map((mark) => ({ ...mark, label })) }],
    });
    const lines = [...svg.matchAll(/class="label" x="0" y="\d+">([^<]*)</g)].map(([, text]) => text);
    expect(lines.slice(0, 2).join(' ')).toBe(label);
    expect(Math.max(...lines.map((line) => line?.length ?? 0))).toBeLessThan(66);
  });
});

describe('a scale', () => {
  test.each([
    ['log', [0.5, 1_980], [0.1, 1, 10, 100, 1_000, 10_000]],
    ['log', [3, 4], [1, 10]],
    ['linear', [32, 116], [0, 50, 100, 150]],
    ['linear', [0], [0, 0.2, 0.4, 0.6, 0.8, 1]],
    ['log', [0], [0, 0.2, 0.4, 0.6, 0.8, 1]],
  ] as const)('%s of %j is marked at %j', (kind, values, ticks) => {
    expect(createScale(kind, values, 100).ticks).toEqual(ticks);
  });

  test('keeps every value inside, larger ones further to the right', () => {
    const value = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        fc.constantFrom('log' as const, 'linear' as const),
        fc.array(value, { minLength: 1 }),
        (kind, values) => {
          const scale = createScale(kind, values, 100);
          const places = [...values].sort((a, b) => a - b).map((one) => scale.at(one));
          expect(places).toEqual([...places].sort((a, b) => a - b));
          for (const place of places) expect(place >= 0 && place <= 100).toBe(true);
        },
      ),
    );
  });
});
