// How long a token is on the live lane, from publishing to receipt: within a process, and through Redis to another one,
// at 1, 10 and 50 turns of 200 tokens a second. The two take turns, so that whatever else the machine does meets both.

import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createMemoryLane } from '../src/live/memory.ts';
import { createRedisLane } from '../src/live/redis.ts';
import type { TurnId } from '../src/protocol/ids.ts';
import type { LiveLane } from '../src/protocol/ports.ts';
import { redisProgram, startRedis } from '../test/redis-server.ts';
import type { Benchmark, Report } from './benchmark.ts';
import { toFigures, toMark } from './figures.ts';
import type { ReaderReport, ReadOrder } from './lane-reader.ts';
import { logLatencies, publishTokens } from './lane-tokens.ts';

const readerFile = fileURLToPath(new URL('lane-reader.ts', import.meta.url));
const counts = [1, 10, 50] as const;
const rounds = { full: 3, quick: 1 } as const;
const pace = { tokens: 400, perSecond: 200 };

interface Series {
  readonly lane: string;
  readonly turns: number;
  readonly samples: number[];
}

export const lane: Benchmark = {
  name: 'lane',
  async run({ quick }) {
    const redis = redisProgram === null ? null : await startRedis();
    try {
      const series = counts.flatMap((turns): Series[] => [
        { lane: 'memory, one process', turns, samples: [] },
        ...(redis === null ? [] : [{ lane: 'Redis, two processes', turns, samples: [] }]),
      ]);
      for (let round = 0; round < (quick ? rounds.quick : rounds.full); round++) {
        for (const { lane: name, turns, samples } of series) {
          const isMemory = redis === null || name.startsWith('memory');
          samples.push(...(isMemory ? await measureMemory(turns) : await measureRedis(redis.url, turns)));
        }
      }
      return toReport(series, redis !== null);
    } finally {
      await redis?.close();
    }
  },
};

const newTurns = (count: number): readonly TurnId[] => Array.from({ length: count }, () => randomUUID() as TurnId);

async function measureMemory(turns: number): Promise<readonly number[]> {
  const memory = createMemoryLane();
  const turnIds = newTurns(turns);
  for (const turnId of turnIds) begin(memory, turnId);
  const log = logLatencies(memory, turnIds, pace.tokens);
  await publishTokens(memory, turnIds, pace);
  const samples = await log.samples;
  await memory.close();
  return samples;
}

async function measureRedis(url: string, turns: number): Promise<readonly number[]> {
  const turnIds = newTurns(turns);
  const reader = fork(readerFile, { execArgv: ['--import', 'tsx'] });
  const waiting = new Map<ReaderReport['state'], (report: ReaderReport) => void>();
  const until = <State extends ReaderReport['state']>(state: State) =>
    new Promise<Extract<ReaderReport, { state: State }>>((resolve, reject) => {
      waiting.set(state, (report) => resolve(report as Extract<ReaderReport, { state: State }>));
      reader.once('exit', (code) => reject(new Error(`unable to measure; the reader ended with ${code}`)));
    });
  reader.on('message', (report: ReaderReport) => waiting.get(report.state)?.(report));
  const follows = until('follows');
  const done = until('done');
  const order: ReadOrder = { url, turnIds, tokens: pace.tokens };
  reader.send(order);
  let writer: LiveLane | undefined;
  await Promise.all([
    follows,
    new Promise<void>((resolve) => {
      const report = (): void => resolve();
      writer = createRedisLane({ url, namespace: 'bench', report });
    }),
  ]);
  if (writer === undefined) throw new Error('unable to measure; there is no lane');
  await publishTokens(writer, turnIds, pace);
  const { samples } = await done;
  reader.disconnect();
  await writer.close();
  return samples;
}

/** What the memory lane needs before text: it keeps a transcript. */
function begin(memory: LiveLane, turnId: TurnId): void {
  const own = {
    turnId,
    conversationId: randomUUID() as never,
    time: new Date().toISOString(),
    agentId: 'operator' as never,
  };
  memory.publish({ ...own, type: 'turn_accepted', seq: 1, text: '' });
  memory.publish({ ...own, type: 'agent_started', seq: 2, model: 'bench', context: [] });
  memory.publish({ ...own, type: 'agent_thinking', seq: 3, step: 1, attempt: 1, maxAttempts: 4, model: 'bench' });
}

function toReport(series: readonly Series[], hasRedis: boolean): Report {
  const figures = series.map((one) => ({ ...one, ...toFigures(one.samples) }));
  const ms = (value: number): string => value.toFixed(2);
  const note = hasRedis ? '' : '; Redis skipped: no redis-server or valkey-server on PATH, and REDIS_SERVER names none';
  return {
    tables: [
      {
        title: `Time of a token on the live lane, ${pace.perSecond} tokens a second for each turn${note}`,
        head: ['lane', 'turns', 'tokens', 'p50 ms', 'p95 ms', 'p99 ms', 'max'],
        rows: figures.map((f) => [f.lane, f.turns, f.n, ms(f.p50), ms(f.p95), ms(f.p99), ms(f.max)]),
      },
    ],
    bars: figures
      .filter((f) => f.lane.startsWith('Redis') && f.turns === 1)
      .map((f) => ({
        bar: 'a token is on the way for less than a millisecond, one turn, through Redis',
        measured: `p95 ${ms(f.p95)} ms`,
        met: f.p95 < 1,
      })),
    charts: [
      {
        title: `Time of a token on the lane, ${pace.perSecond} tokens a second for each turn`,
        unit: 'ms',
        scale: 'log',
        better: 'less',
        groups: counts.map((turns) => ({
          label: turns === 1 ? '1 turn' : `${turns} turns at once`,
          marks: figures.filter((f) => f.turns === turns).map((f) => toMark(f.lane, 'candor', f)),
        })),
      },
    ],
    samples: figures.map(({ lane: name, turns, samples }) => ({ lane: name, turns, ms: samples })),
  };
}
