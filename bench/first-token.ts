// How much later the first token comes through a whole durable turn than straight from the same model server, and how
// soon the first event comes. Direct calls and turns alternate, so that whatever else the machine does meets both. One
// process: worker, gateway, model server and client share it, as they share a laptop.

import { fileURLToPath } from 'node:url';
import OpenAI from 'openai';
import { loadKnowledge } from '../src/knowledge/load-knowledge.ts';
import { auditWorkflowId } from '../src/protocol/ids.ts';
import type { ChatClient } from '../test/chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../test/stack.ts';
import { answer } from '../testing/upstream/upstream.ts';
import type { Benchmark, Report, Table } from './benchmark.ts';
import { figureHead, toCells, toFigures } from './figures.ts';
import { createTimeline, type Timeline } from './timeline.ts';

const knowledgeDir = fileURLToPath(new URL('../knowledge', import.meta.url));
const warmUps = 15;
const samples = 100;
const question = 'How do I restart a job?';

/** Consecutive stretches of a turn up to its first token: name, and the marks between which it lies. */
const stretches = [
  ['gateway → Temporal → workflow → sink (turn_accepted)', 'sent', 'lane turn_accepted'],
  ['hop to retrieveAgent', 'lane turn_accepted', 'linkTurn begin'],
  ['Neo4j: link the turn', 'linkTurn begin', 'linkTurn end'],
  ['load the agent, history, knowledge, assemble', 'linkTurn end', 'savePrompt begin'],
  ['Neo4j: save the prompt', 'savePrompt begin', 'savePrompt end'],
  ['hop back to the workflow (agent_thinking)', 'savePrompt end', 'lane agent_thinking'],
  ['hop to stream', 'lane agent_thinking', 'readPrompt begin'],
  ['Neo4j: read the prompt', 'readPrompt begin', 'readPrompt end'],
  ['openai client → model server', 'readPrompt end', 'upstream received'],
  ['model server: first chunk', 'upstream received', 'upstream written'],
  ['openai client → lane', 'upstream written', 'lane delta'],
  ['lane → feed → socket → client', 'lane delta', 'first token'],
] as const;

/** What a stretch spends its time with, each by itself; the second and the third run side by side. */
const parts = [
  ['read the agent', 'linkTurn end', 'history begin'],
  ['Neo4j: history', 'history begin', 'history end'],
  ['Neo4j: search the knowledge', 'searchKnowledge begin', 'searchKnowledge end'],
  ['assemble the prompt', 'searchKnowledge end', 'savePrompt begin'],
] as const;

interface Sample {
  readonly directMs: number;
  readonly acceptedMs: number;
  readonly firstTokenMs: number;
  readonly stretchesMs: readonly number[];
  readonly partsMs: readonly number[];
}

export const firstToken: Benchmark = {
  name: 'first-token',
  async run() {
    const timeline = createTimeline();
    const stack = await startStack({ decorate: timeline.decorate });
    try {
      await loadKnowledge(knowledgeDir, stack.candor.graph, () => {});
      stack.upstream.chat.always(answer(['A job ', 'is restarted ', 'with `conman rr`.']));
      const openai = new OpenAI({ baseURL: stack.upstream.url, apiKey: 'wire', maxRetries: 0 });
      const socket = await stack.connect();
      const measure = async (): Promise<Sample> => ({
        directMs: await measureDirect(openai),
        ...(await measureTurn(stack, socket, timeline)),
      });
      for (let n = 0; n < warmUps; n++) await measure();
      const measured: Sample[] = [];
      for (let n = 0; n < samples; n++) measured.push(await measure());
      return toReport(measured);
    } finally {
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

async function measureTurn(stack: Stack, socket: ChatClient, timeline: Timeline): Promise<Omit<Sample, 'directMs'>> {
  const turnId = newTurnId();
  timeline.reset();
  const calls = stack.upstream.calls.length;
  timeline.mark('sent');
  socket.message(turnId, newConversationId(), question);
  await socket.untilEvent(turnId, 'turn_accepted');
  timeline.mark('first event');
  await socket.untilEvent(turnId, 'delta');
  timeline.mark('first token');
  await socket.untilEnd(turnId);
  // The audit ends before the next sample begins: it would take its time from that one.
  await stack.client.workflow.getHandle(auditWorkflowId(turnId)).result();

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
  return {
    acceptedMs: at('first event') - at('sent'),
    firstTokenMs: at('first token') - at('sent'),
    stretchesMs: stretches.map(([, from, to]) => at(to) - at(from)),
    partsMs: parts.map(([, from, to]) => at(to) - at(from)),
  };
}

function toReport(measured: readonly Sample[]): Report {
  const addedMs = measured.map(({ firstTokenMs, directMs }) => firstTokenMs - directMs);
  const accepted = toFigures(measured.map(({ acceptedMs }) => acceptedMs));
  const added = toFigures(addedMs);
  const whole: Table = {
    title: `First event and first token, ${measured.length} interleaved samples`,
    head: ['', ...figureHead],
    rows: [
      ['first event (turn_accepted) after the message', ...toCells(accepted)],
      ['first token, model server called directly', ...toCells(toFigures(measured.map((s) => s.directMs)))],
      ['first token, through a turn', ...toCells(toFigures(measured.map((s) => s.firstTokenMs)))],
      ['added by the turn', ...toCells(added)],
    ],
  };
  const breakdown: Table = {
    title: 'Where the time up to the first token goes',
    head: ['stretch', ...figureHead],
    rows: stretches.map(([name], index) => [
      name,
      ...toCells(toFigures(measured.map(({ stretchesMs }) => stretchesMs[index] ?? 0))),
    ]),
  };
  const inside: Table = {
    title: 'Inside of «load the agent, history, knowledge, assemble»',
    head: ['part', ...figureHead],
    rows: parts.map(([name], index) => [
      name,
      ...toCells(toFigures(measured.map(({ partsMs }) => partsMs[index] ?? 0))),
    ]),
  };
  return {
    tables: [whole, breakdown, inside],
    bars: [
      {
        bar: 'first event within 100 ms of the message',
        measured: `p95 ${accepted.p95.toFixed(1)} ms`,
        met: accepted.p95 <= 100,
      },
    ],
    samples: measured,
  };
}
