// What a run of cuts found, as a table for people. Pure.

import type { CutTurn } from './run-cuts.ts';

export const cutsOf = (turns: readonly CutTurn[]): number => sum(turns.flatMap(({ cuts }) => Object.values(cuts)));
export const strikesOf = (turns: readonly CutTurn[]): number =>
  sum(turns.flatMap(({ strikes }) => Object.values(strikes)));
export const complaintsOf = (turns: readonly CutTurn[]): readonly string[] =>
  turns.flatMap(({ label, violations }) => violations.map((violation) => `${label}: ${violation}`));

export function toCutsTable(turns: readonly CutTurn[]): string {
  const of = (pick: (turn: CutTurn) => number): number => sum(turns.map(pick));
  const rows: readonly (readonly [string, number])[] = [
    ['turns', turns.length],
    ['readers', of(({ readers }) => readers)],
    ['connections cut', cutsOf(turns)],
    ['– reset', of(({ cuts }) => cuts.reset)],
    ['– within a frame or between two', of(({ cuts }) => cuts.bytes)],
    ['– closed in order', of(({ cuts }) => cuts.leave)],
    ['resumed by socket', of(({ resumes }) => resumes.socket)],
    ['resumed by server-sent events', of(({ resumes }) => resumes.sse)],
    ['cuts while Redis was struck', strikesOf(turns)],
    ['– killed, started again empty', of(({ strikes }) => strikes.kill)],
    ['– wiped', of(({ strikes }) => strikes.wipe)],
    ['– paused', of(({ strikes }) => strikes.pause)],
    ['characters lost', of(({ lostChars }) => lostChars)],
    ['characters doubled', of(({ doubledChars }) => doubledChars)],
    ['events doubled', of(({ repeatedEvents }) => repeatedEvents)],
    ['provisional events corrected', of(({ corrections }) => corrections)],
    ['violations', complaintsOf(turns).length],
  ];
  return ['| | |', '| --- | --- |', ...rows.map(([what, count]) => `| ${what} | ${count} |`), ''].join('\n');
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
