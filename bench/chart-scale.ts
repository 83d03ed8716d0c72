// Where a value lies on the axis of a chart, and which values the axis names.

import type { Chart } from './benchmark.ts';

export interface Scale {
  /** From the left end, in pixels; what lies outside is drawn at the edge. */
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** @param values of all marks with their ranges, at least one. A logarithmic axis begins below its smallest positive one. */
export function createScale(kind: Chart['scale'], values: readonly number[], widthPx: number): Scale {
  return kind === 'log' ? createLogScale(values, widthPx) : createLinearScale(values, widthPx);
}

function createLogScale(values: readonly number[], widthPx: number): Scale {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return createLinearScale(values, widthPx);
  const first = Math.floor(Math.log10(Math.min(...positive)));
  // One decade at least: an axis needs two ends.
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...positive))));
  const ticks = Array.from({ length: last - first + 1 }, (_, n) => 10 ** (first + n));
  return {
    at: (value) => (value <= 0 ? 0 : clamp((Math.log10(value) - first) / (last - first)) * widthPx),
    ticks: ticks.map((tick) => Number(tick.toPrecision(1))),
  };
}

function createLinearScale(values: readonly number[], widthPx: number): Scale {
  const largest = Math.max(...values, 0) || 1;
  const unit = 10 ** Math.floor(Math.log10(largest));
  const step = [0.2, 0.5, 1, 2].map((part) => part * unit).find((part) => largest / part <= 5) ?? unit * 2;
  const count = Math.ceil(largest / step);
  return {
    at: (value) => clamp(value / (count * step)) * widthPx,
    ticks: Array.from({ length: count + 1 }, (_, n) => Number((n * step).toPrecision(6))),
  };
}

const clamp = (share: number): number => Math.min(1, Math.max(0, share));
