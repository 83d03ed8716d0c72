// Figures as text: three digits say as much as a benchmark knows.

import type { Mark } from './benchmark.ts';

/** `0.43`, `12.3`, `1,981`, `0`. */
export function toNumber(value: number): string {
  if (value === 0) return '0';
  const digits = Math.min(3, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** `1.2 ms (0.9 to 3.4)`; without a range where there is none. */
export function toMeasured({ median, min, max }: Mark, unit: string): string {
  const [from, to] = [toNumber(min), toNumber(max)];
  return `${toNumber(median)} ${unit}${from === to ? '' : ` (${from} to ${to})`}`;
}

/** How many times the first of its group; `null` for the first itself, and where that is 0. */
export function toRatio(mark: Mark, group: readonly Mark[]): string | null {
  const [first] = group;
  if (first === undefined || first === mark || first.median === 0) return null;
  return `${toNumber(Number((mark.median / first.median).toPrecision(3)))} ×`;
}
