// How long a stop takes to reach the model: from the frame that the client sends to the end of the connection as the
// model's server saw it. Worker and gateway in one process, and in two; samples of both alternate.

import { randomUUID } from 'node:crypto';
import type { TurnCancelled } from '../src/protocol/events.ts';
import { launchGateway, launchWorker } from '../test/candor-process.ts';
import { createChatClient, type ChatClient } from '../test/chat-client.ts';
import { createReplies, questionOf, type Replies } from '../test/e2e/replies.ts';
import { newConversationId, newTurnId, startStack } from '../test/stack.ts';
import { answer, createUpstream, type Upstream } from '../testing/upstream/upstream.ts';
import type { Benchmark, Report } from './benchmark.ts';
import { figureHead, toCells, toFigures, toMark } from './figures.ts';

const rounds = { full: { warmUps: 10, samples: 100 }, quick: { warmUps: 2, samples: 5 } } as const;
const barMs = 250;
/** A model that would speak for half a minute. */
const chunks = Array.from({ length: 1_500 }, (_, n) => `word ${n} `);
const paceMs = 20;

interface Sample {
  /** From the frame to the end of the connection. */
  readonly closedMs: number;
  /** From the frame to the client's `turn_cancelled`. */
  readonly toldMs: number;
  readonly charsAfterStop: number | null;
}

interface Arm {
  readonly name: string;
  readonly client: ChatClient;
  readonly upstream: Upstream;
  readonly replies: Replies;
  readonly measured: Sample[];
}

const now = (): number => performance.timeOrigin + performance.now();

export const stop: Benchmark = {
  name: 'stop',
  async run({ quick }) {
    const { warmUps, samples } = quick ? rounds.quick : rounds.full;
    const closers: (() => unknown)[] = [];
    try {
      const arms = [await inOneProcess(closers), await inTwoProcesses(closers)];
      for (let n = 0; n < warmUps + samples; n++) {
        for (const arm of arms) {
          const sample = await measure(arm, n);
          if (n >= warmUps) arm.measured.push(sample);
        }
      }
      return toReport(arms);
    } finally {
      for (const close of closers.reverse()) await close();
    }
  },
};

async function inOneProcess(closers: (() => unknown)[]): Promise<Arm> {
  const stack = await startStack();
  closers.push(() => stack.close());
  const { upstream } = stack;
  const client = await stack.connect();
  return { name: 'one process', client, upstream, replies: createReplies(upstream), measured: [] };
}

async function inTwoProcesses(closers: (() => unknown)[]): Promise<Arm> {
  const upstream = await createUpstream();
  closers.push(() => upstream.close());
  const options = { taskQueue: `stop-${randomUUID()}`, upstreamUrl: upstream.url };
  const worker = await launchWorker(options);
  closers.push(() => worker.close());
  const gateway = await launchGateway(options);
  closers.push(() => gateway.close());
  await Promise.all([worker.ready, gateway.ready]);
  const client = await createChatClient({ url: gateway.url, agentId: 'operator', token: await gateway.token() });
  closers.push(() => client.close());
  return { name: 'two processes', client, upstream, replies: createReplies(upstream), measured: [] };
}

async function measure({ client, upstream, replies }: Arm, n: number): Promise<Sample> {
  const turnId = newTurnId();
  const question = questionOf(turnId);
  replies.to(question, answer(chunks, { paceMs }));
  client.message(turnId, newConversationId(), question);
  const call = upstream.call((await replies.call(question)).n);
  // Another moment between two heartbeats each time.
  await call.written(5 + ((n * 7) % 50));
  const sentAt = now();
  client.send({ type: 'cancel', turnId });
  const { closedAt } = await call.closed;
  const end = await client.untilEvent(turnId, 'turn_cancelled');
  const toldAt = now();
  if (closedAt === null) throw new Error('unable to measure a stop; the model’s server ended before it');
  return { closedMs: closedAt - sentAt, toldMs: toldAt - sentAt, charsAfterStop: charsOf(end) };
}

const charsOf = ({ charsAfterStop }: TurnCancelled): number | null => charsAfterStop;

function toReport(arms: readonly Arm[]): Report {
  const closed = arms.map(({ name, measured }) => ({ name, ...toFigures(measured.map((s) => s.closedMs)) }));
  return {
    tables: [
      {
        title: `A stop, ${arms[0]?.measured.length} samples each, alternating`,
        head: ['from the cancel frame to', ...figureHead],
        rows: [
          ...closed.map(({ name, ...figures }) => [`the connection’s end at the model, ${name}`, ...toCells(figures)]),
          ...arms.map(({ name, measured }) => [
            `turn_cancelled at the client, ${name}`,
            ...toCells(toFigures(measured.map((s) => s.toldMs))),
          ]),
        ],
      },
      {
        title: 'What turn_cancelled knows of the characters after the stop',
        head: ['', 'known', 'unknown', 'most'],
        rows: arms.map(({ name, measured }) => {
          const known = measured.flatMap((s) => (s.charsAfterStop === null ? [] : [s.charsAfterStop]));
          return [name, known.length, measured.length - known.length, Math.max(0, ...known)];
        }),
      },
    ],
    bars: closed.map(({ name, p95 }) => ({
      bar: `a stop ends the model’s connection within ${barMs} ms (p95), ${name}`,
      measured: `p95 ${p95.toFixed(1)} ms`,
      met: p95 < barMs,
    })),
    charts: [
      {
        title: 'From the cancel frame to the end of the model’s connection',
        unit: 'ms',
        scale: 'linear',
        better: 'less',
        groups: [{ label: '', marks: closed.map(({ name, ...figures }) => toMark(name, 'candor', figures)) }],
      },
    ],
    samples: Object.fromEntries(arms.map(({ name, measured }) => [name, measured])),
  };
}
