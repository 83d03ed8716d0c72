// Resuming in the middle of an answer: from the reconnect to the first missing character, at 1, 100 and 1,000 clients that
// come back at once, in one process and at the other gateway, through Redis. Both take turns.

import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { launchGateway, launchWorker } from '../test/candor-process.ts';
import { createChatClient } from '../test/chat-client.ts';
import { redisProgram, startRedis } from '../test/redis-server.ts';
import { newConversationId, newTurnId, startStack } from '../test/stack.ts';
import { answerOf } from '../src/protocol/transcript.ts';
import { answer, createUpstream, type Upstream } from '../testing/upstream/upstream.ts';
import type { Benchmark, Report } from './benchmark.ts';
import { toFigures, toMark } from './figures.ts';
import type { ResumeOrder, ResumeReport } from './resume-load.ts';

const loadFile = fileURLToPath(new URL('resume-load.ts', import.meta.url));
const plans = {
  full: { rounds: 3, counts: [1, 100, 1_000] },
  quick: { rounds: 1, counts: [1, 20] },
} as const;
/** Clients share turns: a thousand clients are not a thousand answers at once. */
const maxTurns = 20;
const perSecond = 50;
const shownChars = 200;
/** Long enough for the slowest client. */
const chunks = Array.from({ length: 3_000 }, (_, n) => `word ${n} `);

interface Place {
  readonly name: string;
  /** Where messages are sent. */
  readonly home: string;
  /** Where clients come back. */
  readonly back: string;
  readonly token: string;
}

interface Series {
  readonly place: Place;
  readonly clients: number;
  readonly resumedMs: number[];
  readonly connectedMs: number[];
  wrong: number;
}

export const resume: Benchmark = {
  name: 'resume',
  async run({ quick }) {
    const { rounds, counts } = quick ? plans.quick : plans.full;
    const closers: (() => Promise<unknown>)[] = [];
    try {
      const upstream = await createUpstream();
      closers.push(() => upstream.close());
      upstream.chat.always(answer(chunks, { paceMs: 1_000 / perSecond }));
      const places = [await startOne(upstream, closers), ...(await startMany(upstream, closers))];
      const series = counts.flatMap((clients) =>
        places.map((place): Series => ({ place, clients, resumedMs: [], connectedMs: [], wrong: 0 })),
      );
      for (let round = 0; round < rounds; round++) {
        for (const one of series) {
          const { resumedMs, connectedMs, wrong } = await measure(one.place, one.clients);
          one.resumedMs.push(...resumedMs);
          one.connectedMs.push(...connectedMs);
          one.wrong += wrong;
        }
      }
      return toReport(series, rounds);
    } finally {
      for (const close of closers.reverse()) await close();
    }
  },
};

async function startOne(upstream: Upstream, closers: (() => Promise<unknown>)[]): Promise<Place> {
  const stack = await startStack({ upstream });
  closers.push(() => stack.close());
  return { name: 'one process', home: stack.url, back: stack.url, token: await stack.token() };
}

async function startMany(upstream: Upstream, closers: (() => Promise<unknown>)[]): Promise<readonly Place[]> {
  if (redisProgram === null) return [];
  const redis = await startRedis();
  closers.push(() => redis.close());
  const options = {
    ...{ taskQueue: `resume-${randomUUID()}`, upstreamUrl: upstream.url },
    env: { REDIS_URL: redis.url },
  };
  const secret = randomUUID();
  const [worker, home, back] = await Promise.all([
    launchWorker(options),
    launchGateway(options, secret),
    launchGateway(options, secret),
  ]);
  closers.push(() => Promise.all([worker, home, back].map((one) => one.close())));
  await Promise.all([worker, home, back].map(({ ready }) => ready));
  return [{ name: 'the other gateway, through Redis', home: home.url, back: back.url, token: await back.token() }];
}

/** New turns each time: where clients come back nobody has read them before. */
async function measure({ home, back, token }: Place, clients: number): Promise<ResumeReport> {
  const sender = await createChatClient({ url: home, agentId: 'operator', token });
  const turnIds = Array.from({ length: Math.min(clients, maxTurns) }, newTurnId);
  for (const turnId of turnIds) sender.message(turnId, newConversationId(), 'How do I restart a job?');
  const cursors = await Promise.all(
    turnIds.map(async (turnId) => {
      await sender.until(() => answerOf(sender.transcript(turnId)).length > shownChars);
      const { seq } = await sender.untilEvent(turnId, 'agent_thinking');
      return { turnId, cursor: { seq, step: 1, attempt: 1, offset: shownChars } };
    }),
  );
  const resumes = Array.from(
    { length: clients },
    (_, n) => cursors[n % cursors.length] ?? { turnId: '', cursor: { seq: 0 } },
  );
  const report = await load({ url: back, token, resumes });
  for (const turnId of turnIds) sender.send({ type: 'cancel', turnId });
  await Promise.all(turnIds.map((turnId) => sender.untilEnd(turnId)));
  sender.close();
  return report;
}

function load(order: ResumeOrder): Promise<ResumeReport> {
  const clients = fork(loadFile, { execArgv: ['--import', 'tsx'] });
  return new Promise((resolve, reject) => {
    clients.once('message', (report) => {
      clients.disconnect();
      resolve(report as ResumeReport);
    });
    clients.once('exit', (code) => reject(new Error(`unable to measure; the clients' process ended with ${code}`)));
    clients.send(order);
  });
}

function toReport(series: readonly Series[], rounds: number): Report {
  const figures = series.map((one) => ({
    ...one,
    resumed: toFigures(one.resumedMs),
    connected: toFigures(one.connectedMs),
  }));
  const wrong = series.reduce((sum, one) => sum + one.wrong, 0);
  return {
    tables: [
      {
        title: `From the reconnect to the first missing character, in the middle of an answer; ${rounds} rounds`,
        head: [
          'where',
          'clients at once',
          'from the resume: p50 ms',
          'p95 ms',
          'max',
          'from the dial: p50 ms',
          'p95 ms',
          'max',
        ],
        rows: figures.map(({ place, clients, resumed, connected }) => [
          ...[place.name, clients],
          ...[resumed, connected].flatMap(({ p50, p95, max }) => [p50, p95, max].map((ms) => ms.toFixed(1))),
        ]),
      },
    ],
    bars: [{ bar: 'every client goes on exactly at its cursor', measured: `${wrong} do not`, met: wrong === 0 }],
    charts: [
      {
        title: 'From the resume to the first missing character',
        ...{ unit: 'ms', scale: 'log', better: 'less' },
        groups: figures.map(({ place, clients, resumed }) => ({
          label: `${clients} at once, ${place.name}`,
          marks: [toMark('Candor', 'candor', resumed)],
        })),
      },
    ],
    samples: figures.map(({ place, clients, resumedMs, connectedMs }) => ({
      ...{ place: place.name, clients, resumedMs, connectedMs },
    })),
  };
}
