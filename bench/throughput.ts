// Turns per second with twenty at once: through Candor's gateway, through the same over workflow-streams, and started
// straight in the engine without gateway and sockets, which is what the engine can do. The model's server writes as fast
// as it is read, unless a pace is named.

import { withArena, type Arena, type Arm } from './arena/arena.ts';
import { candor, candorRedis, rival } from './arena/choices.ts';
import { toRatios, toText } from './arena/rounds.ts';
import type { Bar, Benchmark, Chart, Report, RunOptions } from './benchmark.ts';
import { toFigures, toMark } from './figures.ts';

interface Kind {
  readonly tokens: number;
  readonly paceMs: number | null;
  readonly turns: number;
  readonly atOnce: number;
}

interface Series {
  readonly kind: Kind;
  readonly arm: string;
  /** Turns per second, one for each round. */
  readonly rounds: number[];
}

interface Plan {
  readonly rounds: number;
  readonly kinds: readonly Kind[];
}

const engineName = 'the engine alone: the same turn without gateway and sockets';
const atOnce = 20;
const full: Plan = {
  rounds: 3,
  kinds: [
    { tokens: 20, paceMs: null, turns: 80, atOnce },
    { tokens: 400, paceMs: null, turns: 60, atOnce },
    { tokens: 400, paceMs: 5, turns: 40, atOnce },
  ],
};
const quick: Plan = { rounds: 1, kinds: [{ tokens: 20, paceMs: null, turns: 6, atOnce: 3 }] };

export const throughput: Benchmark = {
  name: 'throughput',
  run: (options) => withArena([candor, candorRedis, rival], (arena) => measureThroughput(arena, options)),
};

/** @param arena with those of its sides that are to be measured */
export async function measureThroughput(arena: Arena, { quick: isQuick }: RunOptions): Promise<Report> {
  const plan = isQuick ? quick : full;
  const measures = toMeasures(arena);
  const series = plan.kinds.flatMap((kind) =>
    measures.map(({ arm, run }) => ({ kind, arm, run, rounds: [] as number[] })),
  );
  for (let round = 0; round < plan.rounds; round++) {
    for (const { kind, run, rounds } of series) rounds.push(await run(kind));
  }
  const measured = series.map(({ run: _run, ...rest }): Series => rest);
  return toReport(measured, plan.rounds);
}

/** Each gives turns per second. */
function toMeasures(arena: Arena): readonly { readonly arm: string; run: (kind: Kind) => Promise<number> }[] {
  const finish = async (turns: number, { turnIds, tookMs }: { turnIds: readonly string[]; tookMs: number }) => {
    await arena.settle(turnIds);
    return turns / (tookMs / 1_000);
  };
  const through = (arm: Arm) => ({
    arm: arm.name,
    run: async (kind: Kind) => finish(kind.turns, await arm.turns({ ...kind, moreReaders: 0, latencies: false })),
  });
  const straight = (arm: Arm) => ({
    arm: engineName,
    run: async (kind: Kind) => finish(kind.turns, await arm.engine(kind)),
  });
  return arena.arms.flatMap((arm) => (arm.name === candor.name ? [through(arm), straight(arm)] : [through(arm)]));
}

const toName = ({ tokens, paceMs }: Kind): string =>
  `${tokens} tokens, ${paceMs === null ? 'as fast as they are read' : `${1_000 / paceMs} a second`}`;

function toReport(series: readonly Series[], rounds: number): Report {
  const kinds = [...new Set(series.map(({ kind }) => kind))];
  const find = (arm: string, kind: Kind): readonly number[] =>
    series.find((one) => one.arm === arm && one.kind === kind)?.rounds ?? [];
  const short = kinds.find(({ tokens }) => tokens === 20);
  return {
    tables: [
      {
        title: `Turns per second, ${kinds[0]?.atOnce ?? 0} at once, medians of ${rounds} interleaved rounds (min–max)`,
        head: ['turn', '', 'turns/s', 'Candor’s, times this'],
        rows: series.map(({ kind, arm, rounds: own }) => [
          toName(kind),
          arm,
          toText(toFigures(own), 1),
          arm === candor.name ? '–' : toText(toRatios(find(candor.name, kind), own), 2),
        ]),
      },
    ],
    bars: kinds.flatMap((kind) => toBars(kind, find)),
    charts: [toChart(kinds, series)],
    ...(short === undefined ? {} : { headlines: { turnsPerSecond: toFigures(find(candor.name, short)).p50 } }),
    samples: series,
  };
}

function toBars(kind: Kind, find: (arm: string, kind: Kind) => readonly number[]): readonly Bar[] {
  const own = find(candor.name, kind);
  const [toRival, toEngine] = [toRatios(own, find(rival.name, kind)), toRatios(own, find(engineName, kind))];
  // A pace that the user would see bounds everybody alike: it is shown, and proves nothing.
  if (kind.paceMs !== null) return [];
  return [
    ...(kind.tokens === 400
      ? [
          {
            bar: `at least 1.5 times the turns per second of workflow-streams, ${toName(kind)}`,
            measured: `${toText(toRival, 2)} times`,
            met: toRival.p50 >= 1.5,
          },
        ]
      : []),
    {
      bar: `within 10 % of the engine’s own limit, ${toName(kind)}`,
      measured: `${toText(toEngine, 2)} of it`,
      met: toEngine.p50 >= 0.9,
    },
  ];
}

function toChart(kinds: readonly Kind[], series: readonly Series[]): Chart {
  return {
    title: 'Turns per second, 20 at once',
    unit: 'turns/s',
    scale: 'linear',
    better: 'more',
    inOverview: true,
    groups: kinds.map((kind) => ({
      label: toName(kind),
      marks: series
        .filter((one) => one.kind === kind)
        .map(({ arm, rounds }) => {
          const side = arm === engineName ? 'reference' : arm === rival.name ? 'rival' : 'candor';
          return toMark(arm, side, toFigures(rounds));
        }),
    })),
  };
}
