// How much later the first token comes through a whole durable turn than straight from the same model server, and how
// soon the first event comes: with gateway and worker in one process, and with gateway, Redis and worker as three. Direct
// calls and both kinds of turns alternate, so that whatever else the machine does meets all of them. Everything is on
// the machine's cores: servers, model server and client too.

import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { loadKnowledge } from '../src/knowledge/load-knowledge.ts';
import { auditWorkflowId } from '../src/protocol/ids.ts';
import type { ChatClient } from '../test/chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../test/stack.ts';
import { answer } from '../testing/upstream/upstream.ts';
import type { Bar, Benchmark, Report, Table } from './benchmark.ts';
import { figureHead, toCells, toFigures, toMark } from './figures.ts';
import { toParts, toPartTables, toShareMs, type Parts } from './first-token-parts.ts';
import { startProcesses } from './first-token-processes.ts';
import { createTimeline, type Timeline } from './timeline.ts';

const knowledgeDir = fileURLToPath(new URL('../knowledge', import.meta.url));
const counts = { full: { warmUps: 20, samples: 100 }, quick: { warmUps: 3, samples: 10 } } as const;
const question = 'How do I restart a job?';
const barsMs = { firstEvent: 100, oneProcess: 25, threeProcesses: 80 } as const;
/** The least that was measured of a durable product, with its store on the same machine. */
const aimMs = 12;

interface TurnSample {
  readonly acceptedMs: number;
  readonly firstTokenMs: number;
}

interface Sample {
  readonly directMs: number;
  readonly one: TurnSample & Parts;
  /** `null`: no Redis is there. */
  readonly three: TurnSample | null;
}

export const firstToken: Benchmark = {
  name: 'first-token',
  async run({ quick }) {
    const { warmUps, samples } = quick ? counts.quick : counts.full;
    const timeline = createTimeline();
    const stack = await startStack({ decorate: timeline.decorate });
    const processes = await startProcesses(stack.upstream.url);
    try {
      await loadKnowledge(knowledgeDir, stack.candor.graph, () => {});
      stack.upstream.chat.always(answer(['A job ', 'is restarted ', 'with `conman rr`.']));
      const openai = new OpenAI({ baseURL: stack.upstream.url, apiKey: 'wire', maxRetries: 0 });
      const socket = await stack.connect();
      const measure = async (): Promise<Sample> => {
        const directMs = await measureDirect(openai);
        const one = await measureParts(stack, socket, timeline);
        return { directMs, one, three: processes === null ? null : await measureTurn(stack, processes.socket) };
      };
      for (let n = 0; n < warmUps; n++) await measure();
      const measured: Sample[] = [];
      for (let n = 0; n < samples; n++) measured.push(await measure());
      return toReport(measured);
    } finally {
      await processes?.close();
      await stack.close();
    }
  },
};

async function measureDirect(openai: OpenAI): Promise<number> {
  const began = performance.now();
  const chunks = await openai.chat.completions.create({
    model: 'wire-model',
    messages: [{ role: 'user', content: question }],
    stream: true,
  });
  let firstMs: number | null = null;
  for await (const chunk of chunks) {
    if ((chunk.choices[0]?.delta.content ?? '') !== '') firstMs ??= performance.now() - began;
  }
  if (firstMs === null) throw new Error('unable to measure a direct call; it brought no text');
  return firstMs;
}

/** @param mark told when the frame is sent and when its first event and first token have come */
async function measureTurn(
  { client }: Pick<Stack, 'client'>,
  socket: ChatClient,
  mark: (name: 'sent' | 'first token') => void = () => undefined,
): Promise<TurnSample> {
  const turnId = newTurnId();
  mark('sent');
  const sentMs = performance.now();
  socket.message(turnId, newConversationId(), question);
  await socket.untilEvent(turnId, 'turn_accepted');
  const acceptedMs = performance.now() - sentMs;
  await socket.untilEvent(turnId, 'delta');
  const firstTokenMs = performance.now() - sentMs;
  mark('first token');
  await socket.untilEnd(turnId);
  // The audit ends before the next sample begins: it would take its time from that one.
  await client.workflow.getHandle(auditWorkflowId(turnId)).result();
  return { acceptedMs, firstTokenMs };
}

async function measureParts(stack: Stack, socket: ChatClient, timeline: Timeline): Promise<TurnSample & Parts> {
  timeline.reset();
  const calls = stack.upstream.calls.length;
  const sample = await measureTurn(stack, socket, (name) => timeline.mark(name));
  const call = stack.upstream.calls[calls];
  const at = (mark: string): number => {
    const time =
      mark === 'upstream received'
        ? call?.receivedAt
        : mark === 'upstream written'
          ? call?.writtenAt[0]
          : timeline.at(mark);
    if (time === undefined) throw new Error(`unable to measure the turn; it has no mark «${mark}»`);
    return time;
  };
  return { ...sample, ...toParts(at) };
}

function toReport(measured: readonly Sample[]): Report {
  const direct = toFigures(measured.map(({ directMs }) => directMs));
  const one = toTurnFigures(measured.map((sample) => ({ ...sample, turn: sample.one })));
  const inThree = measured.flatMap(({ three, directMs }) => (three === null ? [] : [{ directMs, turn: three }]));
  const three = inThree.length === 0 ? null : toTurnFigures(inThree);
  const note = three === null ? '; three processes skipped: there is no Redis on this machine' : '';
  const rows = (where: string, { accepted, first, added }: TurnFigures) => [
    [`first event (turn_accepted) after the message, ${where}`, ...toCells(accepted)],
    [`first token through a turn, ${where}`, ...toCells(first)],
    [`added by the turn, ${where}`, ...toCells(added)],
  ];
  const whole: Table = {
    title: `First event and first token, ${measured.length} interleaved samples${note}`,
    head: ['', ...figureHead],
    rows: [
      ['first token, model server called directly', ...toCells(direct)],
      ...rows('one process', one),
      ...(three === null ? [] : rows('gateway, Redis and worker', three)),
    ],
  };
  const parts = measured.map((sample) => ({ ...sample.one, directMs: sample.directMs }));
  return {
    tables: [whole, ...toPartTables(parts), toShares(parts, one.added.p50)],
    bars: [
      toBar(`first event within ${barsMs.firstEvent} ms of the message, p95`, one.accepted.p95, barsMs.firstEvent),
      toBar(
        `the first token adds at most ${barsMs.oneProcess} ms in one process, p50`,
        one.added.p50,
        barsMs.oneProcess,
      ),
      ...(three === null
        ? []
        : [
            toBar(
              `the first token adds at most ${barsMs.threeProcesses} ms in three processes, p50`,
              three.added.p50,
              barsMs.threeProcesses,
            ),
          ]),
    ],
    charts: [
      {
        title: 'First token',
        unit: 'ms',
        scale: 'linear',
        better: 'less',
        groups: [
          {
            label: '',
            marks: [
              toMark('through a turn, one process', 'candor', one.first),
              ...(three === null ? [] : [toMark('through a turn, three processes', 'candor', three.first)]),
              toMark('the model server called directly', 'reference', direct),
            ],
          },
        ],
        inOverview: true,
      },
    ],
    headlines: { firstTokenAddedMs: one.added.p50 },
    samples: measured,
  };
}

type TurnFigures = ReturnType<typeof toTurnFigures>;
const toTurnFigures = (samples: readonly { readonly directMs: number; readonly turn: TurnSample }[]) => ({
  accepted: toFigures(samples.map(({ turn }) => turn.acceptedMs)),
  first: toFigures(samples.map(({ turn }) => turn.firstTokenMs)),
  added: toFigures(samples.map(({ turn, directMs }) => turn.firstTokenMs - directMs)),
});

const toBar = (bar: string, measuredMs: number, limitMs: number): Bar => ({
  bar,
  measured: `${measuredMs.toFixed(1)} ms`,
  met: measuredMs <= limitMs,
});

/** Whose the added time is; medians of sums, which do not add up to the median of the whole. */
function toShares(samples: readonly (Parts & { readonly directMs: number })[], addedMs: number): Table {
  const [temporal, neo4j, candor] = (['Temporal', 'Neo4j', 'Candor'] as const).map((owner) =>
    toShareMs(samples, owner),
  ) as [number, number, number];
  return {
    title: `Whose it is: ${addedMs.toFixed(1)} ms added in one process`,
    head: ['whose', 'p50 ms', `to pass ${aimMs} ms`],
    rows: [
      ['Temporal: start, three hops', temporal.toFixed(1), `alone ${temporal <= aimMs ? 'within' : 'beyond'} it`],
      ['Neo4j: one look-up, one write, what is left to wait for', neo4j.toFixed(1), 'would have to be nearly nothing'],
      ['Candor: gateway, model client and lane, beyond a direct call', candor.toFixed(1), ''],
    ],
  };
}
