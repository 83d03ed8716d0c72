// What other products gave: measured by us on one machine with two cores, each by its documented way, three interleaved
// rounds, medians; 400 tokens at 200 a second; killed in mid-stream and started again at once, the client resumed by the
// documented way. They are not installed here: these are recorded figures, to be held beside a run on such a machine only.

import type { Headlines } from './benchmark.ts';

export interface OtherProduct {
  readonly name: string;
  readonly headlines: Headlines;
  /** After a kill nobody goes on with the turn. */
  readonly losesTurns: boolean;
}

export const otherProducts: readonly OtherProduct[] = [
  {
    name: 'bare Fastify and openai, nothing durable',
    losesTurns: true,
    headlines: {
      firstTokenAddedMs: 3,
      oneTurnTokenP50Ms: 0.41,
      oneTurnTokenP95Ms: 0.64,
      tenTurnsTokenP50Ms: 0.35,
      tenTurnsTokenP95Ms: 0.93,
      turnsPerSecond: 685,
    },
  },
  {
    name: 'DBOS 5.3, PostgreSQL 15',
    losesTurns: false,
    headlines: {
      firstTokenAddedMs: 11.6,
      oneTurnTokenP50Ms: 6.7,
      oneTurnTokenP95Ms: 11.9,
      tenTurnsTokenP50Ms: 562,
      tenTurnsTokenP95Ms: 871,
      turnsPerSecond: 55,
      nextTokenAfterKillMs: 1_400,
      tokensDoubledAfterKill: 152,
    },
  },
  {
    name: 'Restate 1.7, 1 ms pull, 50 ms batches',
    losesTurns: false,
    headlines: {
      firstTokenAddedMs: 23,
      oneTurnTokenP50Ms: 37,
      oneTurnTokenP95Ms: 61,
      tenTurnsTokenP50Ms: 159,
      tenTurnsTokenP95Ms: 306,
      turnsPerSecond: 50,
      nextTokenAfterKillMs: 850,
      tokensDoubledAfterKill: 176,
    },
  },
  {
    name: 'Restate 1.7, defaults',
    losesTurns: false,
    headlines: {
      firstTokenAddedMs: 20,
      oneTurnTokenP50Ms: 947,
      oneTurnTokenP95Ms: 1_449,
      tenTurnsTokenP50Ms: 5_846,
      tenTurnsTokenP95Ms: 8_358,
      turnsPerSecond: 13,
      nextTokenAfterKillMs: 1_600,
      tokensDoubledAfterKill: 222,
    },
  },
  {
    name: 'Vercel Workflow 4.8, PostgreSQL world',
    losesTurns: false,
    headlines: {
      firstTokenAddedMs: 43,
      oneTurnTokenP50Ms: 1_464,
      oneTurnTokenP95Ms: 2_752,
      tenTurnsTokenP50Ms: 1_507,
      tenTurnsTokenP95Ms: 2_774,
      turnsPerSecond: 19,
      nextTokenAfterKillMs: 1_100,
      tokensDoubledAfterKill: 150,
    },
  },
  {
    name: 'LangGraph API 1.2, in memory',
    losesTurns: true,
    headlines: {
      firstTokenAddedMs: 60,
      oneTurnTokenP50Ms: 1.2,
      oneTurnTokenP95Ms: 1.8,
      tenTurnsTokenP50Ms: 1,
      tenTurnsTokenP95Ms: 9.3,
      turnsPerSecond: 30,
    },
  },
];
