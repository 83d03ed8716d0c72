// Candor beside other products, figure by figure, and said in words where it is the slower one: computed, so that no
// sentence can be kinder than the figures.

import type { Headlines } from './benchmark.ts';
import { toNumber } from './figure-text.ts';
import { toRows } from './markdown.ts';
import type { OtherProduct } from './other-products.ts';

interface Metric {
  readonly key: keyof Headlines;
  readonly name: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
}

const metrics: readonly Metric[] = [
  { key: 'firstTokenAddedMs', name: 'first token, added', unit: 'ms', better: 'less' },
  { key: 'oneTurnTokenP50Ms', name: 'token p50, 1 turn', unit: 'ms', better: 'less' },
  { key: 'oneTurnTokenP95Ms', name: 'token p95, 1 turn', unit: 'ms', better: 'less' },
  { key: 'tenTurnsTokenP50Ms', name: 'token p50, 10 turns', unit: 'ms', better: 'less' },
  { key: 'tenTurnsTokenP95Ms', name: 'token p95, 10 turns', unit: 'ms', better: 'less' },
  { key: 'turnsPerSecond', name: 'turns of 20 tokens, 20 at once', unit: 'a second', better: 'more' },
  { key: 'nextTokenAfterKillMs', name: 'next token after a kill and a restart', unit: 'ms', better: 'less' },
  { key: 'tokensDoubledAfterKill', name: 'doubled at the client after it', unit: 'tokens', better: 'less' },
];

/** A table with Candor's row first, and below it where Candor is not ahead. Figures that were not measured are `–`. */
export function toComparison(own: Headlines, others: readonly OtherProduct[]): string {
  const head = ['', ...metrics.map(({ name, unit }) => `${name}, ${unit}`)];
  const rows = [
    ['**Candor**', ...metrics.map(({ key }) => toCell(own[key]))],
    ...others.map((other) => [other.name, ...metrics.map(({ key }) => toCellOf(other, key))]),
  ];
  return `${toRows(head, rows)}\n\n${toVerdicts(own, others).join('\n')}`;
}

const toCell = (value: number | undefined): string => (value === undefined ? '–' : toNumber(value));

const toCellOf = ({ headlines, losesTurns }: OtherProduct, key: keyof Headlines): string =>
  losesTurns && key === 'nextTokenAfterKillMs' ? 'turn lost' : toCell(headlines[key]);

/** One line for each figure in which somebody is not behind Candor. */
export function toVerdicts(own: Headlines, others: readonly OtherProduct[]): readonly string[] {
  const measured = metrics.filter(({ key }) => own[key] !== undefined);
  if (measured.length === 0) return ['Candor’s figures are not measured yet.'];
  const behind = measured.flatMap((metric) => {
    const ahead = others.filter(({ headlines }) => isAhead(headlines[metric.key], own[metric.key], metric.better));
    if (ahead.length === 0) return [];
    const named = ahead.map(({ name, headlines }) => `${name} (${toCell(headlines[metric.key])})`).join('; ');
    return [`- **${metric.name}**, ${toCell(own[metric.key])} ${metric.unit}. At least as good: ${named}.`];
  });
  if (behind.length === 0) return ['Candor is ahead of all of them in each figure that was measured.'];
  return ['Where Candor is not ahead:', '', ...behind];
}

function isAhead(other: number | undefined, own: number | undefined, better: Metric['better']): boolean {
  if (other === undefined || own === undefined) return false;
  return better === 'less' ? other <= own : other >= own;
}
