// What a turn costs in history: events and bytes, for short and long answers, small and large prompts.

import { rm } from 'node:fs/promises';
import { startStack, type Stack } from '../test/stack.ts';
import { measureTurn, writeAgents, type TurnCost } from '../test/turn-cost.ts';
import type { Benchmark, Report } from './benchmark.ts';
import { toFigures } from './figures.ts';

const rounds = { full: 5, quick: 1 } as const;
const maxEvents = 40;
const kinds = [
  { name: 'answer of 20 tokens', agentId: 'short', tokens: 20 },
  { name: 'answer of 2,000 tokens', agentId: 'short', tokens: 2_000 },
  { name: 'answer of 20 tokens, prompt of 30,000', agentId: 'large', tokens: 20 },
] as const;

export const history: Benchmark = {
  name: 'history',
  async run({ quick }) {
    const agentsDir = await writeAgents();
    const stack = await startStack({ agentsDir });
    try {
      return toReport(await measure(stack, quick ? rounds.quick : rounds.full));
    } finally {
      await stack.close();
      await rm(agentsDir, { recursive: true });
    }
  },
};

/** By kind, its rounds. */
async function measure(stack: Stack, rounds: number): Promise<readonly (readonly TurnCost[])[]> {
  const costs: TurnCost[][] = kinds.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, kind] of kinds.entries()) costs[index]?.push(await measureTurn(stack, kind));
  }
  return costs;
}

function toReport(costs: readonly (readonly TurnCost[])[]): Report {
  const events = costs.flat().map((cost) => cost.events);
  const { min, max } = toFigures(events);
  const bytes = costs.map((rounds) => toFigures(rounds.map((cost) => cost.bytes)).p50);
  const answers = costs.map((rounds) => rounds[0]?.answerBytes ?? 0);
  const [short = 0, long = 0, large = 0] = bytes;
  const [shortAnswer = 0, longAnswer = 0] = answers;
  return {
    tables: [
      {
        title: `History of a turn, medians of ${costs[0]?.length} interleaved rounds`,
        head: ['turn', 'events', 'bytes', "answer's bytes", 'prompt, characters'],
        rows: kinds.map(({ name }, index) => [
          name,
          toRange((costs[index] ?? []).map((cost) => cost.events)),
          bytes[index] ?? 0,
          answers[index] ?? 0,
          costs[index]?.[0]?.promptChars ?? 0,
        ]),
      },
    ],
    bars: [
      {
        bar: `the same number of events, at most ${maxEvents}`,
        measured: toRange(events),
        met: min === max && max <= maxEvents,
      },
      {
        bar: "bytes differ by no more than the answer's, within a hundred",
        measured: `${long - short} for ${longAnswer - shortAnswer}`,
        met: long - short <= longAnswer - shortAnswer + 100,
      },
      {
        bar: 'a prompt of 30,000 tokens adds nothing, within a hundred bytes',
        measured: `${large - short}`,
        met: Math.abs(large - short) <= 100,
      },
    ],
    samples: Object.fromEntries(kinds.map(({ name }, index) => [name, costs[index]])),
  };
}

function toRange(values: readonly number[]): string {
  const { min, max } = toFigures(values);
  return min === max ? `${min}` : `${min}–${max}`;
}
