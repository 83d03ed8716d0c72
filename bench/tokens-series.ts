// What is measured of tokens: the same cells for every side, round by round.

import type { History } from './arena/arena.ts';
import type { TextCheck } from './arena/load.ts';

export interface Cell {
  readonly turns: number;
  readonly perSecond: number;
}

/** One run of a cell. */
export interface TokenRound {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Of one of its turns. */
  readonly history: History;
  readonly text: TextCheck;
  readonly failedPolls: number;
}

export interface Series {
  readonly cell: Cell;
  readonly arm: string;
  readonly rounds: TokenRound[];
}
