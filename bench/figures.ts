// Figures of a list of samples. Medians and ranges, never a mean: one slow sample says more beside the others than
// mixed into them.

import type { Mark, MarkKind } from './benchmark.ts';

export interface Figures {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Nearest rank. @throws Error for an empty list */
export function toFigures(samples: readonly number[]): Figures {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    if (value === undefined) throw new Error('unable to tell figures; there are no samples');
    return value;
  };
  return { n: sorted.length, min: at(0), p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** Milliseconds for a table: range, median, 95th percentile. */
export const toCells = ({ min, p50, p95, max }: Figures): readonly string[] =>
  [p50, p95, min, max].map((ms) => ms.toFixed(1));
export const figureHead = ['p50 ms', 'p95 ms', 'min', 'max'] as const;

/** For a chart: the median and the range. */
export const toMark = (label: string, kind: MarkKind, { p50, min, max }: Figures): Mark => ({
  label,
  kind,
  median: p50,
  min,
  max,
});
