// Readers of one turn: 1, 10, 100 and 1,000 sockets that follow the same answer. How late each token is at each of them,
// what the server's process spends, and whether anything of it shows in history. Numbers of readers take turns.

import { withArena, type Arena, type Arm } from './arena/arena.ts';
import { candor } from './arena/choices.ts';
import type { Benchmark, Report, RunOptions } from './benchmark.ts';
import { toFigures, toMark, type Figures } from './figures.ts';

interface Plan {
  readonly rounds: number;
  readonly tokens: number;
  readonly counts: readonly number[];
}

const perSecond = 50;
const full: Plan = { rounds: 3, tokens: 200, counts: [1, 10, 100, 1_000] };
const quick: Plan = { rounds: 1, tokens: 40, counts: [1, 10] };
const barP95Ms = 100;

interface Round {
  readonly latency: Figures;
  /** Of Candor's process, from the message to the end of the audit. */
  readonly cpuMs: number;
  readonly loadCpuMs: number;
  readonly frames: number;
  readonly bytes: number;
  readonly events: number;
  readonly wrong: number;
}

export const readers: Benchmark = {
  name: 'readers',
  run: (options) => withArena([candor], (arena) => measureReaders(arena, options)),
};

async function measureReaders(arena: Arena, options: RunOptions): Promise<Report> {
  const plan = options.quick ? quick : full;
  const [arm] = arena.arms;
  if (arm === undefined) throw new Error('unable to measure readers; the arena is empty');
  // Sockets are opened by their first turn, which is not counted.
  for (const count of plan.counts) await measure(arena, arm, count, 10);
  const series = plan.counts.map((count) => ({ count, rounds: [] as Round[] }));
  for (let n = 0; n < plan.rounds; n++) {
    for (const { count, rounds } of series) rounds.push(await measure(arena, arm, count, plan.tokens));
  }
  return toReport(series, plan);
}

async function measure(arena: Arena, arm: Arm, count: number, tokens: number): Promise<Round> {
  const before = await arm.cpuMs();
  const order = { turns: 1, atOnce: 1, tokens, paceMs: 1_000 / perSecond, moreReaders: count - 1, latencies: true };
  const { turnIds, latenciesMs, received, loadCpuMs, text } = await arm.turns(order);
  await arena.settle(turnIds);
  const { events } = await arena.history(turnIds[0] ?? '');
  const wrong = text.lost + text.doubled + text.wrong;
  return {
    ...{ latency: toFigures(latenciesMs), cpuMs: (await arm.cpuMs()) - before, loadCpuMs },
    ...{ ...received, events, wrong },
  };
}

function toReport(
  series: readonly { readonly count: number; readonly rounds: readonly Round[] }[],
  plan: Plan,
): Report {
  const over = (rounds: readonly Round[], pick: (round: Round) => number): Figures => toFigures(rounds.map(pick));
  const figures = series.map(({ count, rounds }) => ({
    count,
    p50: over(rounds, ({ latency }) => latency.p50),
    p95: over(rounds, ({ latency }) => latency.p95),
    max: over(rounds, ({ latency }) => latency.max),
    cpu: over(rounds, ({ cpuMs }) => cpuMs),
    load: over(rounds, ({ loadCpuMs }) => loadCpuMs),
    frames: over(rounds, ({ frames }) => frames),
    bytes: over(rounds, ({ bytes }) => bytes),
    events: over(rounds, ({ events }) => events),
    wrong: over(rounds, ({ wrong }) => wrong),
  }));
  const [one] = figures;
  const most = figures.at(-1);
  if (one === undefined || most === undefined) throw new Error('unable to tell of readers; none were measured');
  const wrong = figures.reduce((sum, f) => sum + f.wrong.max, 0);
  return {
    tables: [
      {
        title: `Readers of one turn, ${plan.tokens} tokens at ${perSecond} a second; median of ${plan.rounds} runs`,
        head: [
          ...['readers', 'token p50 ms', 'p95 ms', 'max ms', 'server CPU ms', 'of the sockets’ process'],
          ...['frames a reader', 'KB a reader', 'history events'],
        ],
        rows: figures.map((f) => [
          f.count,
          ...[f.p50, f.p95, f.max].map(({ p50 }) => p50.toFixed(2)),
          ...[f.cpu, f.load].map(({ p50 }) => p50.toFixed(0)),
          (f.frames.p50 / f.count).toFixed(0),
          (f.bytes.p50 / f.count / 1_000).toFixed(1),
          f.events.p50,
        ]),
      },
    ],
    bars: [
      {
        bar: `${most.count} readers of one turn have a token within ${barP95Ms} ms (p95)`,
        measured: `p95 ${most.p95.p50.toFixed(1)} ms`,
        met: most.p95.p50 <= barP95Ms,
      },
      {
        bar: 'readers leave nothing in history',
        measured: `${most.events.max} events with ${most.count} readers, ${one.events.max} with ${one.count}`,
        met: most.events.max <= one.events.max,
      },
      { bar: 'no reader lost or doubled a character', measured: `${wrong}`, met: wrong === 0 },
    ],
    charts: [
      {
        title: `A token at each of the readers of one turn, p95, ${perSecond} tokens a second`,
        unit: 'ms',
        scale: 'log',
        better: 'less',
        groups: figures.map((f) => ({
          label: f.count === 1 ? '1 reader' : `${f.count} readers`,
          marks: [toMark('Candor', 'candor', f.p95)],
        })),
      },
    ],
    samples: series,
  };
}
