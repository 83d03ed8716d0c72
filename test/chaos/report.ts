// What a chaos run found, as Markdown for people. Pure.

import { phases } from './phase.ts';
import type { JudgedTurn, ScenarioResult } from './scenario.ts';

/** Pairs of phase and fault that no turn stands for. */
export function emptyCells(results: readonly ScenarioResult[]): readonly string[] {
  return results.flatMap(({ fault, turns }) =>
    phases.filter((phase) => !turns.some(({ hit }) => hit === phase)).map((phase) => `${phase} × ${fault}`),
  );
}

export function toMarkdown(results: readonly ScenarioResult[]): string {
  return [
    '### What became of the turns\n',
    toTable(
      [
        'fault',
        'turns',
        'met',
        'completed',
        'failed',
        'lost',
        'wrong characters',
        'without terminal',
        'longest silence s',
        'longest turn s',
        'violations',
        's',
      ],
      results.map(({ fault, turns, seconds }) => [
        fault,
        turns.length,
        count(turns, ({ hit }) => hit !== null),
        count(turns, ({ outcome }) => outcome === 'completed'),
        failuresOf(turns),
        count(turns, ({ isLost }) => isLost),
        turns.reduce((sum, { wrongChars }) => sum + wrongChars, 0),
        count(turns, ({ lacksTerminal }) => lacksTerminal),
        toSeconds(turns.map(({ longestSilenceMs }) => longestSilenceMs)),
        toSeconds(turns.map(({ tookMs }) => tookMs ?? 0)),
        turns.reduce((sum, { violations }) => sum + violations.length, 0),
        seconds,
      ]),
    ),
    '### What the fault found them doing\n',
    toTable(
      ['phase', ...results.map(({ fault }) => fault)],
      phases.map((phase) => [phase, ...results.map(({ turns }) => count(turns, ({ hit }) => hit === phase))]),
    ),
  ].join('\n');
}

/** One line for each violation, at most so many. */
export function toComplaints(results: readonly ScenarioResult[], most = 60): readonly string[] {
  return results
    .flatMap(({ fault, turns }) =>
      turns.flatMap(({ label, turnId, wave, hit, violations }) =>
        violations.map((violation) => `${fault}, ${wave}, ${label} (${turnId}), ${hit ?? 'not met'}: ${violation}`),
      ),
    )
    .slice(0, most);
}

const count = (turns: readonly JudgedTurn[], fits: (turn: JudgedTurn) => boolean): number => turns.filter(fits).length;

const toSeconds = (timesMs: readonly number[]): string => (Math.max(0, ...timesMs) / 1_000).toFixed(1);

function failuresOf(turns: readonly JudgedTurn[]): string {
  const codes = turns.flatMap(({ errorCode }) => errorCode ?? []);
  if (codes.length === 0) return '0';
  return [...new Set(codes)].map((code) => `${codes.filter((one) => one === code).length} ${code}`).join(', ');
}

function toTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n');
}
