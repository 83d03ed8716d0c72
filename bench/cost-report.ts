// What the costs say: a table, the promised ratios, charts of history and of the server's time.

import { candor, isCandor, rival } from './arena/choices.ts';
import { toRatios, toText } from './arena/rounds.ts';
import type { Bar, Chart, Report } from './benchmark.ts';
import { toFigures, toMark, type Figures } from './figures.ts';
import type { CostRound, CostSeries, Kind } from './cost-series.ts';

interface Circumstances {
  readonly rounds: number;
  readonly tokensPerSecond: number;
  /** Share of one processor. */
  readonly idle: number;
}

type Find = (arm: string, kind: Kind) => CostSeries | undefined;

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const eventsOf = ({ histories }: CostRound): number => average(histories.map(({ events }) => events));
const bytesOf = ({ histories }: CostRound): number => average(histories.map(({ bytes }) => bytes));
const spreadOf = ({ rounds }: CostSeries, of: (round: CostRound) => number): Figures => toFigures(rounds.map(of));
const toName = ({ tokens, turns, readers }: Kind): string =>
  `${tokens} tokens, ${turns === 1 ? 'alone' : `${turns} at once`}${readers === 1 ? '' : `, ${readers} readers`}`;

export function toReport(series: readonly CostSeries[], circumstances: Circumstances): Report {
  const { rounds, tokensPerSecond, idle } = circumstances;
  const find: Find = (arm, kind) => series.find((one) => one.arm === arm && one.kind === kind);
  const kinds = [...new Set(series.map(({ kind }) => kind))];
  return {
    tables: [
      {
        title:
          `A turn’s cost, ${tokensPerSecond} tokens a second, medians of ${rounds} interleaved rounds (min–max); ` +
          `the server’s ${(idle * 100).toFixed(1)} % of a processor while idle are taken off`,
        head: ['turn', '', 'events', 'bytes', 'server, CPU ms', 'own processes, CPU ms'],
        rows: series.map((one) => [
          toName(one.kind),
          one.arm,
          toText(spreadOf(one, eventsOf), 0),
          toText(spreadOf(one, bytesOf), 0),
          toText(
            spreadOf(one, ({ serverMs }) => serverMs),
            0,
          ),
          toText(
            spreadOf(one, ({ ownMs }) => ownMs),
            0,
          ),
        ]),
      },
    ],
    bars: [...kinds.flatMap((kind) => toHistoryBars(kind, find)), toConstantBar(series)],
    charts: toCharts(kinds, series),
    samples: series,
  };
}

/** Long answers are where a lane shows. */
const isLong = ({ tokens, readers }: Kind): boolean => tokens >= 400 && readers === 1;

function toHistoryBars(kind: Kind, find: Find): readonly Bar[] {
  const [own, other] = [find(candor.name, kind), find(rival.name, kind)];
  if (!isLong(kind) || own === undefined || other === undefined) return [];
  const ratio = (of: (round: CostRound) => number): Figures => toRatios(other.rounds.map(of), own.rounds.map(of));
  const [events, bytes] = [ratio(eventsOf), ratio(bytesOf)];
  return [
    {
      bar: `at least 3 times fewer events than workflow-streams, ${toName(kind)}`,
      measured: `${toText(events, 1)} times`,
      met: events.p50 >= 3,
    },
    {
      bar: `at least 5 times fewer bytes than workflow-streams, ${toName(kind)}`,
      measured: `${toText(bytes, 1)} times`,
      met: bytes.p50 >= 5,
    },
  ];
}

/** A workflow task that was given out twice, as a busy machine makes it, would add events too: the bar is strict. */
function toConstantBar(series: readonly CostSeries[]): Bar {
  const own = series.filter(({ arm }) => isCandor({ name: arm })).flatMap(({ rounds }) => rounds);
  const { min, max } = toFigures(own.flatMap(({ histories }) => histories.map(({ events }) => events)));
  return {
    bar: 'the number of events grows neither with tokens nor with readers',
    measured: min === max ? `${min} in every turn` : `${min}–${max}`,
    met: min === max,
  };
}

function toCharts(kinds: readonly Kind[], series: readonly CostSeries[]): readonly Chart[] {
  const toChart = (
    head: Pick<Chart, 'title' | 'unit'>,
    shown: readonly Kind[],
    of: (round: CostRound) => number,
  ): Chart => ({
    ...head,
    scale: 'linear',
    better: 'less',
    inOverview: head.unit === 'events',
    groups: shown.map((kind) => ({
      label: toName(kind),
      marks: series
        .filter((one) => one.kind === kind)
        .map((one) => toMark(one.arm, isCandor({ name: one.arm }) ? 'candor' : 'rival', spreadOf(one, of))),
    })),
  });
  const alone = kinds.filter(({ turns, readers }) => turns === 1 && readers === 1);
  const several = kinds.filter(({ turns }) => turns > 1);
  return [
    toChart({ title: 'Events in history, a turn', unit: 'events' }, alone, eventsOf),
    toChart({ title: 'Bytes in history, a turn', unit: 'KB' }, alone, (r) => bytesOf(r) / 1_000),
    toChart({ title: 'CPU of Temporal’s server, a turn', unit: 'ms' }, several, (r) => r.serverMs),
  ];
}
