// One fault, so many turns in concurrent waves, and what became of each: the wave, then the next message of every
// conversation, then the questions to graph and gateways, then the verdicts.

import { setTimeout as delay } from 'node:timers/promises';
import { answerOf } from '../../src/protocol/transcript.ts';
import type { Random } from '../e2e/seeded-random.ts';
import { createChaosTurn, type ChaosTurn } from './chaos-turn.ts';
import type { Fault } from './faults.ts';
import { judge, type Verdict } from './oracle.ts';
import type { Phase } from './phase.ts';
import type { Site } from './site.ts';
import { readAudit, readGraph, readViews } from './truth.ts';
import { runWave } from './wave.ts';

export interface ScenarioOptions {
  readonly site: Site;
  readonly fault: Fault;
  readonly turns: number;
  readonly waveSize: number;
  readonly random: Random;
  /** Of the labels, one for each scenario of a run: letters and digits. */
  readonly prefix: string;
  /** Milliseconds from the healing to the end of the last turn. */
  readonly limitMs: number;
}

export interface JudgedTurn extends Verdict {
  readonly label: string;
  readonly turnId: string;
  readonly wave: string;
  /** What the fault found it doing; `null`: it missed the turn. */
  readonly hit: Phase | null;
  readonly calls: number;
  /** From the message to its terminal at the sender; `null` without one. */
  readonly tookMs: number | null;
}

export interface ScenarioResult {
  readonly fault: string;
  readonly turns: readonly JudgedTurn[];
  readonly seconds: number;
}

export async function runScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const { site, fault, random, prefix, limitMs } = options;
  const beganMs = Date.now();
  const waves = Math.max(1, Math.ceil(options.turns / options.waveSize));
  const judged: JudgedTurn[] = [];
  for (let wave = 0; wave < waves; wave++) {
    // Each fault's two ways, which change from wave to wave, meet both kinds.
    const kind = wave < waves / 2 ? 'steered' : 'free';
    const turns = Math.min(options.waveSize, options.turns - wave * options.waveSize);
    const label = `${prefix}w${wave}`;
    const ran = await runWave({ site, fault, kind, wave, turns, random, prefix: label, limitMs });
    judged.push(...(await judgeWave(options, ran, `${kind} ${wave}`)));
    for (const turn of ran) turn.close();
  }
  return { fault: fault.name, turns: judged, seconds: Math.round((Date.now() - beganMs) / 1_000) };
}

async function judgeWave(
  { site, fault, limitMs }: ScenarioOptions,
  turns: readonly ChaosTurn[],
  wave: string,
): Promise<readonly JudgedTurn[]> {
  const nextFailures = await Promise.all(turns.map((turn) => sendNext(site, turn, limitMs)));
  const graph = await readGraph(
    site,
    turns.map(({ turnId }) => turnId),
  );
  return Promise.all(
    turns.map(async (turn, index): Promise<JudgedTurn> => {
      const { label, turnId, hit, wire, readers } = turn;
      const [views, audit] = await Promise.all([readViews(site, turnId), readAudit(site, turnId)]);
      const endedFromOutside = fault.name === 'terminate' && hit !== null;
      const verdict = judge({
        turnId,
        readers,
        sent: wire.sent,
        graph: graph.get(turnId),
        views,
        audit,
        endedFromOutside,
      });
      const next = nextFailures[index] ?? null;
      const violations = next === null ? verdict.violations : [...verdict.violations, next];
      const calls = wire.calls.length;
      return { ...verdict, violations, label, turnId, wave, hit, calls, tookMs: tookMsOf(turn) };
    }),
  );
}

function tookMsOf({ readers: [sender] }: ChaosTurn): number | null {
  return sender?.sentAtMs == null || sender.endedAtMs === null ? null : sender.endedAtMs - sender.sentAtMs;
}

/** The next message of the conversation has to work, whatever became of this one. Gives what is wrong with it. */
async function sendNext(site: Site, { label, conversationId }: ChaosTurn, limitMs: number): Promise<string | null> {
  const call = { chunks: 3, paceMs: 5, refuseFirstForSeconds: null, firstPasses: null, holdAudit: false };
  const next = createChaosTurn(site, { label: `${label}next`, call, target: null, gateway: 0, conversationId });
  next.send();
  const [reader] = next.readers;
  try {
    if (reader === undefined || !(await reader.until(() => reader.hasEnded, limitMs)))
      return 'the next message has no end';
    const last = reader.transcript.log.at(-1);
    if (last?.type !== 'turn_completed') return `the next message ended with ${JSON.stringify(last)}`;
    const isReal = next.wire.sent.some(({ whole, text }) => whole && text === answerOf(reader.transcript));
    return isReal ? null : 'the next message has another answer than its own';
  } finally {
    // A frame that is on its way may still come: it would tell of a second end.
    await delay(0);
    next.close();
  }
}
