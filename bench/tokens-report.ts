// What the times of tokens say: a table of all rounds, the promised ratios, a chart for each pace.

import { candor, candorRedis, isCandor, rival } from './arena/choices.ts';
import { toRatios, toText } from './arena/rounds.ts';
import type { Bar, Chart, Headlines, Report, Table } from './benchmark.ts';
import { toFigures, toMark } from './figures.ts';
import type { Cell, Series, TokenRound } from './tokens-series.ts';

interface Circumstances {
  readonly tokens: number;
  readonly rounds: number;
  readonly leftOut: readonly string[];
}

type Figure = 'p50' | 'p95' | 'p99';

const of = ({ rounds }: Series, figure: Figure): readonly number[] => rounds.map((round) => round[figure]);
const toTurns = (turns: number): string => (turns === 1 ? '1 turn' : `${turns} turns`);

export function toReport(series: readonly Series[], circumstances: Circumstances): Report {
  const paces = [...new Set(series.map(({ cell }) => cell.perSecond))];
  const find = (arm: string, cell: Cell): Series | undefined =>
    series.find((one) => one.arm === arm && one.cell.turns === cell.turns && one.cell.perSecond === cell.perSecond);
  return {
    tables: paces.map((perSecond) => toTable(series, perSecond, circumstances, find)),
    bars: [...toLaneBars(series, find), toTextBar(series)],
    charts: paces.map((perSecond) => toChart(series, perSecond)),
    headlines: toHeadlines(find),
    samples: series,
  };
}

type Find = (arm: string, cell: Cell) => Series | undefined;

function toTable(
  series: readonly Series[],
  pace: number,
  { tokens, rounds, leftOut }: Circumstances,
  find: Find,
): Table {
  const note = leftOut.length === 0 ? '' : `; without a Redis on this machine: no ${leftOut.join(', ')}`;
  return {
    title:
      `From the upstream’s write to the socket, ${tokens} tokens a turn at ${pace} a second, ` +
      `medians of ${rounds} interleaved rounds (min–max)${note}`,
    head: ['', 'at once', 'p50 ms', 'p95 ms', 'p99 ms', 'p95, times Candor’s', 'events', 'failed polls'],
    rows: series
      .filter(({ cell }) => cell.perSecond === pace)
      .map((one) => {
        const own = find(candor.name, one.cell);
        return [
          one.arm,
          toTurns(one.cell.turns),
          toText(toFigures(of(one, 'p50')), 2),
          toText(toFigures(of(one, 'p95')), 2),
          toText(toFigures(of(one, 'p99')), 2),
          own === undefined || own === one ? '–' : toText(toRatios(of(one, 'p95'), of(own, 'p95')), 1),
          toText(toFigures(one.rounds.map(({ history }) => history.events)), 0),
          one.rounds.reduce((sum, { failedPolls }) => sum + failedPolls, 0),
        ];
      }),
  };
}

function toLaneBars(series: readonly Series[], find: Find): readonly Bar[] {
  return series
    .filter(({ arm }) => arm === candor.name || arm === candorRedis.name)
    .flatMap((own): readonly Bar[] => {
      const { arm, cell } = own;
      const where = `${toTurns(cell.turns)} at ${cell.perSecond} tokens/s`;
      if (cell.turns === 10) return arm === candor.name ? toTenTurnsBars(own, where) : [];
      const other = find(rival.name, cell);
      if (other === undefined) return [];
      const times = arm === candor.name ? 100 : 20;
      const ratio = toRatios(of(other, 'p95'), of(own, 'p95'));
      return [
        {
          bar: `${arm}: a token’s p95 at least ${times} times lower than workflow-streams’, ${where}`,
          measured: `${toText(ratio, 0)} times`,
          met: ratio.p50 >= times,
        },
      ];
    });
}

function toTenTurnsBars(own: Series, where: string): readonly Bar[] {
  const [p50, p95] = [toFigures(of(own, 'p50')), toFigures(of(own, 'p95'))];
  return [
    {
      bar: `a token at ${where}: p50 at most 1 ms, p95 at most 5 ms`,
      measured: `p50 ${toText(p50, 2)}, p95 ${toText(p95, 2)} ms`,
      met: p50.p50 <= 1 && p95.p50 <= 5,
    },
  ];
}

function toTextBar(series: readonly Series[]): Bar {
  const own = series.filter(({ arm }) => isCandor({ name: arm })).flatMap(({ rounds }) => rounds);
  const sum = (of: (round: TokenRound) => number): number => own.reduce((total, round) => total + of(round), 0);
  const [lost, doubled, wrong] = [
    sum(({ text }) => text.lost),
    sum(({ text }) => text.doubled),
    sum(({ text }) => text.wrong),
  ];
  return {
    bar: 'no character lost, none doubled, every answer as it was written',
    measured: `${lost} lost, ${doubled} doubled, ${wrong} answers wrong of ${sum(({ text }) => text.characters)} characters`,
    met: lost + doubled + wrong === 0,
  };
}

function toChart(series: readonly Series[], perSecond: number): Chart {
  const own = series.filter(({ cell }) => cell.perSecond === perSecond);
  return {
    title: `A token’s time to the socket, p95, ${perSecond} tokens a second`,
    unit: 'ms',
    scale: 'log',
    better: 'less',
    inOverview: perSecond === 200,
    groups: [...new Set(own.map(({ cell }) => cell.turns))].map((turns) => ({
      label: `${toTurns(turns)} at once`,
      marks: own
        .filter(({ cell }) => cell.turns === turns)
        .map((one) => toMark(one.arm, isCandor({ name: one.arm }) ? 'candor' : 'rival', toFigures(of(one, 'p95')))),
    })),
  };
}

function toHeadlines(find: Find): Headlines {
  const one = find(candor.name, { turns: 1, perSecond: 200 });
  const ten = find(candor.name, { turns: 10, perSecond: 200 });
  return {
    ...(one === undefined
      ? {}
      : { oneTurnTokenP50Ms: toFigures(of(one, 'p50')).p50, oneTurnTokenP95Ms: toFigures(of(one, 'p95')).p50 }),
    ...(ten === undefined
      ? {}
      : { tenTurnsTokenP50Ms: toFigures(of(ten, 'p50')).p50, tenTurnsTokenP95Ms: toFigures(of(ten, 'p95')).p50 }),
  };
}
