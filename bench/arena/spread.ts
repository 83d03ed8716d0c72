// Figures of rounds: a median, and between what the rounds lay. Ratios are taken within each round, where both sides met
// the same machine.

import type { Mark, MarkKind } from '../benchmark.ts';
import { toFigures } from '../figures.ts';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws Error for an empty list */
export function toSpread(values: readonly number[]): Spread {
  const { p50, min, max } = toFigures(values);
  return { median: p50, min, max };
}

/** `a` over `b`, round by round. */
export const toRatios = (a: readonly number[], b: readonly number[]): Spread =>
  toSpread(a.map((value, round) => value / (b[round] ?? Number.NaN)));

/** `12.3 (11.9–14.0)`; one number where the rounds agree. */
export function toText({ median, min, max }: Spread, digits: number): string {
  const [middle, low, high] = [median, min, max].map((value) => value.toFixed(digits));
  return low === high ? `${middle}` : `${middle} (${low}–${high})`;
}

export const toMark = (label: string, kind: MarkKind, spread: Spread): Mark => ({ label, kind, ...spread });
