// A wave: turns that run at the same time and meet one fault. In a free wave everything is random: when a message is
// sent, how long its answer is, when the fault comes. In a steered wave each turn is first brought into a phase that is
// otherwise too short to be met, by valves of the model server and by holding the network under the store.

import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../e2e/seeded-random.ts';
import { createChaosTurn, type ChaosTurn } from './chaos-turn.ts';
import type { Fault, Strike } from './faults.ts';
import { phases, type Phase } from './phase.ts';
import type { Site } from './site.ts';
import type { CallPlan } from './wire.ts';

export interface WaveOptions {
  readonly site: Site;
  readonly fault: Fault;
  readonly kind: 'free' | 'steered';
  /** 0, 1, 2 … within the scenario. */
  readonly wave: number;
  readonly turns: number;
  readonly random: Random;
  /** Of the labels: letters and digits. */
  readonly prefix: string;
  /** Milliseconds from the healing to the end of the last turn. */
  readonly limitMs: number;
}

/** Where the second reader joins: each so manieth turn has one. */
const watchedEvery = 4;
const steerMs = 20_000;
/** Messages of a free wave leave within the first; its fault comes between the other two. */
const [sendingMs, earliestMs, latestMs] = [2_500, 1_500, 4_000];

/** Resolves when every reader has the end of its turn, or the limit is over. The turns stay open for questions. */
export async function runWave(options: WaveOptions): Promise<readonly ChaosTurn[]> {
  const { site, fault, kind, wave, random, limitMs } = options;
  const turns = Array.from({ length: options.turns }, (_, index) => createTurn(options, index));
  const strike: Strike = { site, turns, random, wave };
  const release = kind === 'free' ? await runFreely(turns, random) : await steer(site, turns, random);

  for (const turn of turns) turn.hit = (fault.meets?.(turn, strike) ?? true) ? turn.phase() : null;
  const striking = fault.strike(strike);
  // The fault has begun and has not ended: what was held goes on into it.
  await delay(300);
  release(fault);
  await striking;
  const healedAtMs = Date.now();
  for (const turn of turns) if ((turn.readers[0]?.sentAtMs ?? Infinity) > healedAtMs) turn.hit = null;
  await Promise.all(
    turns.flatMap(({ readers }) => readers.map((reader) => reader.until(() => reader.hasEnded, limitMs))),
  );
  return turns;
}

function createTurn({ site, kind, wave, random, prefix }: WaveOptions, index: number): ChaosTurn {
  const target = kind === 'free' ? null : (phases[index % phases.length] ?? null);
  const call = target === null ? toFreePlan(random) : toPlan(target, random);
  const turn = createChaosTurn(site, { label: `${prefix}t${index}`, call, target, gateway: wave });
  return {
    ...turn,
    send() {
      turn.send();
      const [sender] = turn.readers;
      if (sender === undefined || index % watchedEvery !== 0) return;
      void sender.until(() => sender.transcript.log.length > 0, steerMs).then((began) => began && turn.watch());
    },
  };
}

const between = (random: Random, least: number, most: number): number => Math.floor(least + random() * (most - least));

const toFreePlan = (random: Random): CallPlan => ({
  chunks: between(random, 5, 120),
  paceMs: between(random, 15, 50),
  refuseFirstForSeconds: random() < 0.2 ? between(random, 1, 4) : null,
  firstPasses: null,
  holdAudit: false,
});

const longest = 140;

function toPlan(target: Phase, random: Random): CallPlan {
  const plan = { paceMs: between(random, 30, 50), refuseFirstForSeconds: null, firstPasses: null, holdAudit: false };
  const chunks = between(random, 40, 80);
  switch (target) {
    case 'thinking':
      return { ...plan, chunks, firstPasses: 0 };
    case 'streaming':
      return { ...plan, chunks: longest };
    case 'backing off':
      return { ...plan, chunks, refuseFirstForSeconds: 5 };
    case 'storing':
      return { ...plan, chunks, paceMs: 5, firstPasses: chunks - 1 };
    case 'after the end':
      return { ...plan, chunks: 5, paceMs: 5, holdAudit: true };
    case 'before accepted':
    case 'retrieving':
      return { ...plan, chunks };
  }
}

type Release = (fault: Fault) => void;

async function runFreely(turns: readonly ChaosTurn[], random: Random): Promise<Release> {
  for (const turn of turns) setTimeout(() => turn.send(), random() * sendingMs);
  await delay(earliestMs + random() * (latestMs - earliestMs));
  return () => undefined;
}

/** Resolves at the instant of the strike; the release lets everything go on that was held. */
async function steer(site: Site, turns: readonly ChaosTurn[], random: Random): Promise<Release> {
  const of = (target: Phase): readonly ChaosTurn[] => turns.filter((turn) => turn.target === target);
  const send = (...targets: readonly Phase[]): void => targets.flatMap(of).forEach((turn) => turn.send());
  const store = site.links['worker-neo4j'];

  send('after the end');
  await untilAll(of('after the end'), (turn) => turn.wire.auditCalls.length > 0);
  send('thinking', 'streaming', 'storing');
  await untilAll([...of('thinking'), ...of('streaming')], (turn) => turn.wire.calls.length > 0);
  await untilAll(of('storing'), isOneShort);
  send('backing off');
  await untilAll(of('backing off'), (turn) => turn.wire.calls.length > 0);
  store.hold();
  for (const turn of of('storing')) turn.wire.release();
  send('retrieving');
  await untilAll(of('storing'), (turn) => turn.wire.calls[0]?.endedAt != null);
  await untilAll(of('retrieving'), (turn) => (turn.readers[0]?.transcript.log.length ?? 0) > 0);
  await delay(random() * 500);
  send('before accepted');
  await untilAll(of('before accepted'), (turn) => turn.readers[0]?.sentAtMs != null);
  return (fault) => {
    for (const turn of turns) {
      turn.wire.release();
      turn.wire.releaseAudit();
    }
    if (fault.name !== 'cut:worker-neo4j') store.heal();
  };
}

/** All of its first reply is sent but the last piece. */
const isOneShort = ({ wire }: ChaosTurn): boolean => wire.calls[0]?.written.length === wire.chunks - 1;

/** Resolves when it is true of all; after the limit too: then a turn is met where it is. */
async function untilAll(turns: readonly ChaosTurn[], fits: (turn: ChaosTurn) => boolean): Promise<void> {
  for (const untilMs = Date.now() + steerMs; Date.now() < untilMs; await delay(5)) {
    if (turns.every(fits)) return;
  }
}
