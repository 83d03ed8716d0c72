// Published figures are those that were measured: what a program writes lies between markers, everything else is kept.

import { describe, expect, test } from '@jest/globals';
import { toBlocks } from '../../bench/blocks.ts';
import { toVerdicts } from '../../bench/comparison.ts';
import { fillBlocks } from '../../bench/page-blocks.ts';
import { otherProducts } from '../../bench/other-products.ts';
import { chart, machine, toResult } from './measured.ts';

const page = 'before\n\n<!-- bench:bars -->\nold\n<!-- bench:end -->\n\nafter <!-- not ours -->\n';

describe('a page', () => {
  test('gets its blocks and keeps what is around them', () => {
    const filled = fillBlocks('a.md', page, new Map([['bars', 'new $& text']]));
    expect(filled).toBe(
      'before\n\n<!-- bench:bars -->\n\nnew $& text\n\n<!-- bench:end -->\n\nafter <!-- not ours -->\n',
    );
    expect(fillBlocks('a.md', filled, new Map([['bars', 'new $& text']]))).toBe(filled);
  });

  test.each([
    ['without an end', 'x\n<!-- bench:bars -->\ny\n', /no other half/],
    ['without a begin', 'x\n<!-- bench:end -->\ny\n', /no other half/],
    ['one within the other', '<!-- bench:bars -->\n<!-- bench:bars -->\n<!-- bench:end -->\n', /no other half/],
    ['of a name that nobody writes', page.replace('bars', 'birds'), /bench:birds is no block/],
  ])('is refused with a block %s', (_, text, reason) => {
    expect(() => fillBlocks('a.md', text, new Map([['bars', '']]))).toThrow(reason);
  });
});

describe('the blocks of results', () => {
  const toBlock = (key: string, ...results: ReturnType<typeof toResult>[]) =>
    toBlocks({ names: ['first-token', 'tokens'], results, imagesPath: 'images/' }).get(key);

  test('have every bar in the order of the benchmarks, kept or not', () => {
    const missed = { bar: 'within 1 ms', measured: '2 ms', met: false };
    const bars = toBlock('bars', toResult(), toResult({ name: 'first-token', bars: [missed] })) ?? '';
    expect(bars.split('\n').slice(2, 4)).toEqual([
      '| within 1 ms | 2 ms | no |',
      '| p95 at most 5 ms | 0.8 ms | yes |',
    ]);
  });

  test('say on what was measured, once, and which ran on a busy machine', () => {
    const busy = toResult({ name: 'first-token', machine: { ...machine, loadBefore: 1.5 } });
    expect(toBlock('bars', toResult(), busy)).toMatch(
      /\n\nMeasured on 2026-01-02: 2 cores [^*]*Node 20\.20\.2, Temporal 1\.32\.0, Neo4j 5\.26\.30\. \*\*The machine was busy before first-token \(load 1\.5\)\.\*\*$/,
    );
  });

  test('say of a quick run that it is one', () => {
    expect(toBlock('tokens', toResult({ quick: true }))).toContain('Quick runs, not to be published');
  });

  test('show a benchmark with its picture, in words too, and its tables', () => {
    const block = toBlock('tokens', toResult()) ?? '';
    expect(block).toMatch(/^!\[Time of a token .*workflow-streams 200 ms 200 ms.*\]\(images\/bench-tokens\.svg\)$/m);
    expect(block).toContain('### Tokens\n\n| turns | p95 ms |');
  });

  test('show in the overview only what a chart was made for', () => {
    expect(toBlock('overview', toResult())).toBe('');
    expect(toBlock('overview', toResult({ charts: [{ ...chart, inOverview: true }] }))).toContain('bench-overview.svg');
  });

  test('say what was not measured', () => {
    expect(toBlock('first-token', toResult())).toBe('Not measured yet.');
    expect(toBlock('others', toResult())).toContain('Candor’s figures are not measured yet.');
  });
});

describe('Candor beside other products', () => {
  test('is said to be behind where another one is at least as good', () => {
    expect(toVerdicts({ firstTokenAddedMs: 20, turnsPerSecond: 60 }, otherProducts)).toEqual([
      'Where Candor is not ahead:',
      '',
      '- **first token, added**, 20 ms. At least as good: bare Fastify and openai, nothing durable (3); ' +
        'DBOS 5.3, PostgreSQL 15 (11.6); Restate 1.7, defaults (20).',
      '- **turns of 20 tokens, 20 at once**, 60 a second. At least as good: bare Fastify and openai, nothing durable (685).',
    ]);
  });

  test('is said to be ahead only of what was measured', () => {
    expect(toVerdicts({ tokensDoubledAfterKill: 0 }, otherProducts)).toEqual([
      'Candor is ahead of all of them in each figure that was measured.',
    ]);
  });
});
