// Figures of rounds: a median, and between what the rounds lay. Ratios are taken within each round, where both sides met
// the same machine.

import { toFigures, type Figures } from '../figures.ts';

/** `a` over `b`, round by round. */
export const toRatios = (a: readonly number[], b: readonly number[]): Figures =>
  toFigures(a.map((value, round) => value / (b[round] ?? Number.NaN)));

/** `12.3 (11.9–14.0)`; one number where the rounds agree. */
export function toText({ p50, min, max }: Figures, digits: number): string {
  const [middle, low, high] = [p50, min, max].map((value) => value.toFixed(digits));
  return low === high ? `${middle}` : `${middle} (${low}–${high})`;
}
