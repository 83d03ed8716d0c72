// What a turn costs: events and bytes of its history, and processor time of Temporal's server and of Candor's process,
// beside the same turn over workflow-streams. A turn alone for its history, several at once for processor time, which the
// system counts in hundredths of a second.

import { setTimeout as delay } from 'node:timers/promises';
import { withArena, type Arena, type Arm } from './arena/arena.ts';
import { candor, candorRedis, rival } from './arena/choices.ts';
import type { Benchmark, Report, RunOptions } from './benchmark.ts';
import { toReport } from './cost-report.ts';
import type { CostRound, CostSeries, Kind } from './cost-series.ts';
import { readProcessorMs } from './processor-time.ts';

interface Plan {
  readonly rounds: number;
  readonly kinds: readonly Kind[];
  readonly idleMs: number;
}

const paceMs = 5;
const full: Plan = {
  rounds: 5,
  kinds: [
    { tokens: 20, turns: 1, readers: 1 },
    { tokens: 400, turns: 1, readers: 1 },
    { tokens: 400, turns: 1, readers: 25 },
    { tokens: 20, turns: 20, readers: 1 },
    { tokens: 400, turns: 10, readers: 1 },
  ],
  idleMs: 5_000,
};
const quick: Plan = {
  rounds: 1,
  kinds: [
    { tokens: 20, turns: 1, readers: 1 },
    { tokens: 60, turns: 2, readers: 3 },
  ],
  idleMs: 500,
};

export const cost: Benchmark = {
  name: 'cost',
  run: (options) => withArena([candor, candorRedis, rival], (arena) => measureCost(arena, options)),
};

/** @param arena with those of its sides that are to be measured */
export async function measureCost(arena: Arena, { quick: isQuick }: RunOptions): Promise<Report> {
  const plan = isQuick ? quick : full;
  const serverPid = Number(process.env['CANDOR_TEST_TEMPORAL_PID']);
  const idle = await measureIdle(serverPid, plan.idleMs);
  const series = plan.kinds.flatMap((kind) => arena.arms.map((arm) => ({ kind, arm, rounds: [] as CostRound[] })));
  for (let round = 0; round < plan.rounds; round++) {
    for (const { kind, arm, rounds } of series) rounds.push(await measure(arena, arm, kind, serverPid, idle));
  }
  const measured = series.map(({ arm, ...rest }): CostSeries => ({ ...rest, arm: arm.name }));
  return toReport(measured, { rounds: plan.rounds, tokensPerSecond: 1_000 / paceMs, idle });
}

/** Share of one processor that the server takes while all sides wait. */
async function measureIdle(serverPid: number, idleMs: number): Promise<number> {
  const before = await readProcessorMs(serverPid);
  const beganAt = performance.now();
  await delay(idleMs);
  return ((await readProcessorMs(serverPid)) - before) / (performance.now() - beganAt);
}

async function measure(arena: Arena, arm: Arm, kind: Kind, serverPid: number, idle: number): Promise<CostRound> {
  const { tokens, turns, readers } = kind;
  const [serverBefore, ownBefore, beganAt] = [await readProcessorMs(serverPid), await arm.cpuMs(), performance.now()];
  const order = { turns, atOnce: turns, tokens, paceMs, moreReaders: readers - 1, latencies: false };
  const { turnIds } = await arm.turns(order);
  await arena.settle(turnIds);
  const tookMs = performance.now() - beganAt;
  const serverMs = (await readProcessorMs(serverPid)) - serverBefore - idle * tookMs;
  const ownMs = (await arm.cpuMs()) - ownBefore;
  const histories = await Promise.all(turnIds.map((turnId) => arena.history(turnId)));
  return { histories, serverMs: serverMs / turns, ownMs: ownMs / turns };
}
