// What is measured of a turn's cost: the same kinds of turns for every side, round by round.

import type { History } from './arena/arena.ts';

export interface Kind {
  readonly tokens: number;
  /** At once. */
  readonly turns: number;
  /** Of each turn. */
  readonly readers: number;
}

export interface CostRound {
  readonly histories: readonly History[];
  /** Of Temporal's server, a turn, without what it takes while nothing happens. */
  readonly serverMs: number;
  /** Of the arm's own processes, a turn. */
  readonly ownMs: number;
}

export interface CostSeries {
  readonly kind: Kind;
  readonly arm: string;
  readonly rounds: CostRound[];
}
