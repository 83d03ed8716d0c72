// Plays many plans side by side, each drawn by a seed of its own. A plan with a fault that missed its turn is judged, and
// does not count: another one is drawn in its place.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerFrame } from '../../src/protocol/frames.ts';
import { createUpstream } from '../../testing/upstream/upstream.ts';
import { createReplies } from '../e2e/replies.ts';
import { drawPlan } from './draw-plan.ts';
import { judge } from './judge.ts';
import { describePlan, type Plan } from './plan.ts';
import type { Played } from './played.ts';
import { playPlan } from './play-plan.ts';
import { createRigInOneProcess, createRigOfProcesses, type Rig } from './rig.ts';

export interface PlanResult {
  readonly seed: number;
  readonly played: Played;
  /** None: the plan was survived. */
  readonly problems: readonly string[];
  readonly tookMs: number;
}

export interface RunOptions {
  /** Of the first plan; the next ones follow. */
  readonly seed: number;
  /** Plans that have to count. */
  readonly plans: number;
  /** Plans without a kill that are played at once. */
  readonly atOnce: number;
  readonly onResult?: (result: PlanResult) => void;
}

export interface Playground {
  play(plan: Plan, seed: number): Promise<PlanResult>;
  close(): Promise<void>;
}

/** Kills meet every turn of their worker: few of them at once. */
const killsAtOnce = 3;
/** So many missed plans for one that counts are a mistake of the drawing. */
const maxMissed = 3;

const agent = `---
id: operator
name: Operator
description: Has little time.
context:
  documents: 2
timeouts:
  firstTokenSeconds: 6
  silenceSeconds: 6
  turnSeconds: 90
---

Answer.
`;

/** A model server, and a rig of each kind as soon as a plan asks for it. */
export async function createPlayground(): Promise<Playground> {
  const agentsDir = await mkdtemp(join(tmpdir(), 'candor-agents-'));
  await writeFile(join(agentsDir, 'operator.md'), agent);
  const upstream = await createUpstream();
  const replies = createReplies(upstream);
  const rigs = new Map<Rig['name'], Promise<Rig>>();
  const rigFor = (plan: Plan): Promise<Rig> => {
    const name = needsProcesses(plan) ? 'processes' : 'in one process';
    const create = name === 'processes' ? createRigOfProcesses : createRigInOneProcess;
    const rig = rigs.get(name) ?? create({ upstream, agentsDir });
    rigs.set(name, rig);
    return rig;
  };
  return {
    async play(plan, seed) {
      const rig = await rigFor(plan);
      const beganMs = performance.now();
      const played = await playPlan(plan, rig, replies);
      return { seed, played, problems: judge(played), tookMs: performance.now() - beganMs };
    },
    async close() {
      for (const rig of rigs.values()) await (await rig).close();
      await upstream.close();
      await rm(agentsDir, { recursive: true, force: true });
    },
  };
}

const needsProcesses = ({ faults }: Plan): boolean => faults.some(({ kind }) => kind === 'worker kill');

export async function runPlans(
  playground: Playground,
  { seed, plans, atOnce, onResult }: RunOptions,
): Promise<readonly PlanResult[]> {
  const results: PlanResult[] = [];
  const quick: number[] = [];
  const slow: number[] = [];
  let nextSeed = seed;
  const draw = (): void => {
    (needsProcesses(drawPlan(nextSeed)) ? slow : quick).push(nextSeed);
    nextSeed += 1;
  };
  for (let n = 0; n < plans; n++) draw();
  const work = async (queue: number[]): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const result = await playground.play(drawPlan(next), next);
      results.push(result);
      onResult?.(result);
      if (result.played.missed.length > 0 && results.length < plans * maxMissed) draw();
    }
  };
  const inParallel = (queue: number[], count: number) => Array.from({ length: count }, () => work(queue));
  // A plan that replaces a missed one may be of the other kind, whose players have gone home.
  while (quick.length + slow.length > 0) {
    await Promise.all([...inParallel(quick, atOnce), ...inParallel(slow, killsAtOnce)]);
  }
  return results;
}

export const counts = ({ played }: PlanResult): boolean => played.missed.length === 0;

/** Everything that is needed to understand the failure and to have it again. */
export function describeFailure({ seed, played, problems }: PlanResult): string {
  const struck = played.strikes.map(({ kind, phase, atMs }) => `${kind} in phase «${phase}» after ${atMs} ms`);
  return [
    `plan ${seed} (again: npm run chaos -- plans --plan ${seed}), turn ${played.turnId}`,
    describePlan(played.plan),
    `  struck: ${struck.join('; ') || 'nothing'}`,
    ...problems.map((problem) => `  ✗ ${problem}`),
    ...played.readers
      .filter(({ name }) => problems.some((problem) => problem.startsWith(name)))
      .map(({ name, frames }) => `  ${name} got ${frames.map(describeFrame).join(', ')}`),
  ].join('\n');
}

function describeFrame(frame: ServerFrame): string {
  if (frame.type === 'delta')
    return `${frame.step}/${frame.attempt} ${frame.channel} ${frame.offset}+${frame.text.length}`;
  if (frame.type === 'error') return `error ${frame.error.code}`;
  return 'seq' in frame ? `${frame.seq} ${frame.type}` : frame.type;
}
