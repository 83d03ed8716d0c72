// The table of a run: how often each fault struck in each phase of its turn.

import { phases } from './course.ts';
import { counts, type PlanResult } from './run-plans.ts';

export function toReport(results: readonly PlanResult[]): string {
  const counted = results.filter(counts);
  const strikes = counted.flatMap(({ played }) => played.strikes);
  const kinds = [...new Set(strikes.map(({ kind }) => kind))].sort();
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const rows = kinds.map((kind) =>
    line([kind, ...phases.map((phase) => strikes.filter((s) => s.kind === kind && s.phase === phase).length)]),
  );
  const outcomes = new Map<string, number>();
  for (const { played } of counted) {
    const outcome = played.view.error === null ? played.view.state : `${played.view.state}: ${played.view.error.code}`;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  const took = counted.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const seconds = (share: number): string => ((took[Math.floor(took.length * share)] ?? 0) / 1_000).toFixed(1);
  return [
    line(['fault', ...phases]),
    line(['---', ...phases.map(() => '---')]),
    ...rows,
    '',
    ...[...outcomes].sort(([, a], [, b]) => b - a).map(([outcome, count]) => `${String(count).padStart(5)} ${outcome}`),
    '',
    `${counted.length} plans count, ${results.length - counted.length} missed their turn; ` +
      `a plan took ${seconds(0.5)} s, one in twenty more than ${seconds(0.95)} s; ` +
      `${results.filter(({ problems }) => problems.length > 0).length} failed`,
  ].join('\n');
}
