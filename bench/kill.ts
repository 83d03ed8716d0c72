// How long an answer stands still when its worker is killed: from SIGKILL of a real worker process in mid-stream to the
// first token of the next attempt, at the model's server and at the client. The kill falls into another moment between
// two heartbeats each time.

import { randomUUID } from 'node:crypto';
import { answerOf } from '../src/protocol/transcript.ts';
import type { Delta } from '../src/protocol/events.ts';
import type { TurnId } from '../src/protocol/ids.ts';
import { createOpenActivities } from '../src/run/open-activities.ts';
import { launchWorker, type CandorProcess } from '../test/candor-process.ts';
import type { ChatClient } from '../test/chat-client.ts';
import { createReplies, questionOf, type Replies } from '../test/e2e/replies.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../test/stack.ts';
import { answer } from '../testing/upstream/upstream.ts';
import type { Benchmark, Headlines, Report } from './benchmark.ts';
import { figureHead, toCells, toFigures, toMark, type Figures } from './figures.ts';

const samples = { full: 10, quick: 2 } as const;
const barMs = 4_000;
/** 400 tokens at 50 a second; the second attempt's are as many as are needed to see its first. */
const chunks = Array.from({ length: 400 }, (_, n) => `word ${n} `);
const second = ['The ', 'second ', 'attempt.'];
const paceMs = 20;

interface Scenario {
  readonly name: string;
  readonly workers: number;
  readonly line: boolean;
}
/** What was measured of other products too. */
const restarted = 'the killed one started again at once';
const scenarios: readonly Scenario[] = [
  { name: 'another worker alive', workers: 2, line: true },
  { name: restarted, workers: 1, line: true },
  { name: 'another worker alive, lines switched off', workers: 2, line: false },
];

interface Sample {
  readonly atModelMs: number;
  readonly atClientMs: number;
  /** Tokens of the dead attempt that stand in the final text, or that were shown twice. */
  readonly doubled: number;
  readonly discardedChars: number;
}

const now = (): number => performance.timeOrigin + performance.now();

export const kill: Benchmark = {
  name: 'kill',
  async run({ quick }) {
    const measured: (readonly Sample[])[] = [];
    for (const scenario of scenarios) measured.push(await runScenario(scenario, quick ? samples.quick : samples.full));
    return toReport(measured);
  },
};

async function runScenario({ workers: count, line }: Scenario, samples: number): Promise<readonly Sample[]> {
  const stack = await startStack({ roles: 'gateway', taskQueue: `kill-${randomUUID()}` });
  const workers = new Set<CandorProcess>();
  const start = async (): Promise<CandorProcess> => {
    const { taskQueue } = stack.options.temporal;
    const env: Record<string, string> = line ? {} : { CANDOR_WORKER_LINE_HOST: 'off' };
    const worker = await launchWorker({ taskQueue, upstreamUrl: stack.upstream.url, env });
    workers.add(worker);
    return worker;
  };
  try {
    for (let n = 0; n < count; n++) await (await start()).ready;
    const replies = createReplies(stack.upstream);
    const client = await stack.connect();
    const measured: Sample[] = [];
    for (let n = 0; n < samples; n++) {
      measured.push(await measure({ stack, replies, client, workers, start }, n / samples));
      await Promise.all([...workers].map((worker) => worker.ready));
    }
    return measured;
  } finally {
    await Promise.all([...workers].map((worker) => worker.close()));
    await stack.close();
  }
}

interface Site {
  readonly stack: Stack;
  readonly replies: Replies;
  readonly client: ChatClient;
  readonly workers: Set<CandorProcess>;
  start(): Promise<CandorProcess>;
}

/** @param share of the time between two heartbeats at which the worker dies */
async function measure(site: Site, share: number): Promise<Sample> {
  const { stack, replies, client, workers } = site;
  const turnId = newTurnId();
  const question = questionOf(turnId);
  replies.to(question, answer(chunks, { paceMs }), answer(second));
  client.message(turnId, newConversationId(), question);
  const first = await replies.call(question);
  await stack.upstream.call(first.n).written(100);
  const holder = await holderOf(stack, turnId, workers);
  await stack.upstream.call(first.n).written(125 + share * 50);
  const killedAt = now();
  holder.kill('SIGKILL');
  workers.delete(holder);
  const isReplaced = workers.size === 0;
  if (isReplaced) await site.start();
  const delta = (await client.until(
    (frame) => frame.type === 'delta' && frame.turnId === turnId && frame.attempt === 2,
  )) as Delta;
  const shownAt = now();
  const transcript = await client.untilEnd(turnId);
  await holder.close();
  // Its start would take the time of the one that takes over.
  if (!isReplaced) await site.start();
  const next = replies.calls(question)[1];
  const failed = transcript.log.find((e) => e.type === 'attempt_failed');
  if (next?.writtenAt[0] === undefined || failed?.type !== 'attempt_failed')
    throw new Error(
      `unable to measure a kill; there was no second call: ${transcript.log.map((e) => e.type).join(' ')}`,
    );
  return {
    atModelMs: next.writtenAt[0] - killedAt,
    atClientMs: shownAt - killedAt,
    doubled: Math.max(0, delta.offset) + Math.abs(answerOf(transcript).length - second.join('').length),
    discardedChars: failed.discardedChars,
  };
}

async function holderOf(stack: Stack, turnId: TurnId, workers: ReadonlySet<CandorProcess>): Promise<CandorProcess> {
  const open = await createOpenActivities(stack.client, stack.options.temporal.taskQueue).list();
  const held = open.find(({ workflowId, type }) => workflowId.endsWith(turnId) && type === 'stream');
  const holder = [...workers].find(({ pid }) => held?.worker.startsWith(`${pid}@`) === true);
  if (holder === undefined) throw new Error(`unable to find the worker that holds ${turnId}; it is ${held?.worker}`);
  return holder;
}

function toReport(measured: readonly (readonly Sample[])[]): Report {
  const rows = scenarios.map(({ name }, index) => {
    const of = measured[index] ?? [];
    return {
      name,
      atModel: toFigures(of.map((s) => s.atModelMs)),
      atClient: toFigures(of.map((s) => s.atClientMs)),
      doubled: Math.max(...of.map((s) => s.doubled)),
      discarded: toFigures(of.map((s) => s.discardedChars)),
    };
  });
  return {
    tables: [
      {
        title: `From SIGKILL to the next attempt’s first token, ${measured[0]?.length} samples each`,
        head: ['', ...figureHead],
        rows: rows.flatMap(({ name, atModel, atClient }) => [
          [`at the model’s server, ${name}`, ...toCells(atModel)],
          [`at the client, ${name}`, ...toCells(atClient)],
        ]),
      },
      {
        title: 'Text of the dead attempt',
        head: ['', 'characters doubled at the client', 'withdrawn by event, characters, p50'],
        rows: rows.map(({ name, doubled, discarded }) => [name, doubled, discarded.p50]),
      },
    ],
    bars: rows.map(({ name, atModel, atClient }) => ({
      bar: `the next attempt’s first token within ${barMs / 1_000} s, ${name}`,
      measured: `at most ${atModel.max.toFixed(0)} ms at the model’s server, ${atClient.max.toFixed(0)} ms at the client`,
      met: atModel.max <= barMs,
    })),
    charts: [
      {
        title: 'From a killed worker to the next token at the client',
        unit: 'ms',
        scale: 'linear',
        better: 'less',
        groups: [{ label: '', marks: rows.map(({ name, atClient }) => toMark(name, 'candor', atClient)) }],
      },
    ],
    headlines: toHeadlines(rows.find(({ name }) => name === restarted)),
    samples: Object.fromEntries(scenarios.map(({ name }, index) => [name, measured[index]])),
  };
}

const toHeadlines = (row: { readonly atClient: Figures; readonly doubled: number } | undefined): Headlines =>
  row === undefined ? {} : { nextTokenAfterKillMs: row.atClient.p50, tokensDoubledAfterKill: row.doubled };
