// How long a token takes from the model's server to the user's socket, at 50 and 200 tokens a second and 1, 10 and 50 turns
// at once: Candor's lanes beside the same turn over workflow-streams. Every answer is compared with what was written.

import { withArena, type Arena, type Arm } from './arena/arena.ts';
import { candor, candorRedis, rival, rivalDefault } from './arena/choices.ts';
import type { Benchmark, Report, RunOptions } from './benchmark.ts';
import { toFigures } from './figures.ts';
import { toReport } from './tokens-report.ts';
import type { Cell, Series, TokenRound } from './tokens-series.ts';

interface Plan {
  readonly rounds: number;
  readonly tokens: number;
  readonly cells: readonly Cell[];
}

const counts = [1, 10, 50] as const;
const full: Plan = {
  rounds: 3,
  tokens: 400,
  cells: [200, 50].flatMap((perSecond) => counts.map((turns) => ({ turns, perSecond }))),
};
const quick: Plan = { rounds: 1, tokens: 40, cells: [{ turns: 1, perSecond: 200 }] };

/** Its answers come seconds late at any pace: once is enough. */
const isMeasured = ({ perSecond }: Cell, { name }: Pick<Arm, 'name'>): boolean =>
  name !== rivalDefault.name || perSecond === 200;

export const tokens: Benchmark = {
  name: 'tokens',
  run: (options) => withArena([candor, candorRedis, rival, rivalDefault], (arena) => measureTokens(arena, options)),
};

/** @param arena with those of its sides that are to be measured */
export async function measureTokens(arena: Arena, { quick: isQuick }: RunOptions): Promise<Report> {
  const plan = isQuick ? quick : full;
  const series = plan.cells.flatMap((cell) =>
    arena.arms.filter((arm) => isMeasured(cell, arm)).map((arm) => ({ cell, arm, rounds: [] as TokenRound[] })),
  );
  for (let round = 0; round < plan.rounds; round++) {
    for (const { cell, arm, rounds } of series) rounds.push(await measure(arena, arm, cell, plan.tokens));
  }
  const measured = series.map(({ arm, ...rest }): Series => ({ ...rest, arm: arm.name }));
  return toReport(measured, { tokens: plan.tokens, rounds: plan.rounds, leftOut: arena.leftOut });
}

async function measure(arena: Arena, arm: Arm, { turns, perSecond }: Cell, count: number): Promise<TokenRound> {
  const failedBefore = await arm.failedPolls();
  const order = { turns, atOnce: turns, tokens: count, paceMs: 1_000 / perSecond, moreReaders: 0, latencies: true };
  const { turnIds, latenciesMs, text } = await arm.turns(order);
  await arena.settle(turnIds);
  const { p50, p95, p99 } = toFigures(latenciesMs);
  const history = await arena.history(turnIds[0] ?? '');
  return { p50, p95, p99, history, text, failedPolls: (await arm.failedPolls()) - failedBefore };
}
