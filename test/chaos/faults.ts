// What is broken on purpose. Each fault resolves when what it broke serves again; whether a turn still gets to its end is
// not its business. `meets` says which turns of the wave it could reach at all.

import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { auditWorkflowId, turnWorkflowId } from '../../src/protocol/ids.ts';
import type { Random } from '../e2e/seeded-random.ts';
import type { ChaosTurn } from './chaos-turn.ts';
import { linkNames, type LinkName } from './link.ts';
import type { MortalProcess, Site } from './site.ts';

export interface Strike {
  readonly site: Site;
  readonly turns: readonly ChaosTurn[];
  readonly random: Random;
  /** 0, 1, 2 … within the scenario: faults that have two ways take them in turn. */
  readonly wave: number;
}

export interface Fault {
  readonly name: string;
  /** For tables and documents. */
  readonly does: string;
  /** Every turn of the wave is reached, unless this says otherwise. Asked at the instant of the strike. */
  meets?(turn: ChaosTurn, strike: Strike): boolean;
  strike(strike: Strike): Promise<void>;
}

const engineAwayMs = 20_000;
const [cutLeastMs, cutMostMs] = [3_000, 8_000];

const restart = async (process: MortalProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
  await process.end(signal);
  await process.start();
};

const terminate: Fault = {
  name: 'terminate',
  does: 'the workflow is terminated in Temporal; after the turn its audit’s',
  strike: async ({ site, turns }) => {
    await Promise.all(turns.filter(({ hit }) => hit !== null).map((turn) => terminateOne(site, turn)));
  },
};

/** A message that is on its way has no workflow yet: it is terminated when it has. */
async function terminateOne(site: Site, turn: ChaosTurn): Promise<void> {
  const id = turn.hit === 'after the end' ? auditWorkflowId(turn.turnId) : turnWorkflowId(turn.turnId);
  for (const until = Date.now() + 10_000; Date.now() < until; await delay(5)) {
    try {
      await site.temporal.workflow.getHandle(id).terminate('chaos');
      return;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      // It has closed by itself meanwhile: the fault came too late for it.
      if (turn.readers[0]?.hasEnded === true && turn.hit !== 'after the end') break;
      if (turn.hit === 'after the end' && turn.wire.auditCalls.at(-1)?.endedAt != null) break;
    }
  }
  turn.hit = null;
}

const workerKill: Fault = {
  name: 'worker-kill',
  does: 'SIGKILL to both workers, or in every other wave to one of two; started again at once',
  meets: (turn, { site, wave }) => wave % 2 === 0 || site.workers[0]?.owns(openPort(turn)) === true,
  strike: async ({ site, wave }) => {
    const killed = wave % 2 === 0 ? site.workers : site.workers.slice(0, 1);
    await Promise.all(killed.map((worker) => restart(worker, 'SIGKILL')));
  },
};

/** Port of the model call that is open; `null` without one. */
function openPort({ wire }: ChaosTurn): number | null {
  const call = wire.calls.at(-1);
  return call !== undefined && call.endedAt === null && call.closedAt === null ? call.clientPort : null;
}

const workerStop: Fault = {
  name: 'worker-sigterm',
  does: 'a deployment: each worker is told to stop and replaced, one after the other',
  strike: async ({ site }) => {
    for (const worker of site.workers) await restart(worker, 'SIGTERM');
  },
};

const gatewayKill: Fault = {
  name: 'gateway-kill',
  does: 'SIGKILL to one of two gateways, started again at once',
  meets: (turn, { wave }) => turn.readers.length === 0 || turn.readers[0]?.gateway === wave % 2,
  strike: async ({ site, wave }) => {
    const gateway = site.gateways[wave % 2];
    if (gateway !== undefined) await restart(gateway, 'SIGKILL');
  },
};

const engineRestart: Fault = {
  name: 'temporal-restart',
  does: 'Temporal stops for 20 s (SIGTERM and SIGKILL in turn) and starts again on its database',
  strike: async ({ site, wave }) => {
    await site.servers.temporal.kill(wave % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
    await delay(engineAwayMs);
    await site.servers.temporal.start();
  },
};

const graphKill: Fault = {
  name: 'neo4j-kill',
  does: 'SIGKILL to Neo4j, started again at once on its data',
  strike: async ({ site }) => {
    await site.servers.neo4j.kill('SIGKILL');
    await site.servers.neo4j.start();
  },
};

const laneKill: Fault = {
  name: 'redis-kill',
  does: 'SIGKILL to Redis, started again after 3 s with nothing in it',
  strike: async ({ site: { redis } }) => {
    await redis?.kill();
    await delay(cutLeastMs);
    await redis?.startAgain();
  },
};

const cutOf = (name: LinkName): Fault => ({
  name: `cut:${name}`,
  does: 'the network between the two is gone for 3 to 8 s: connections reset, in every other wave silent',
  strike: async ({ site, random, wave }) => {
    const link = site.links[name];
    if (wave % 2 === 0) link.cut();
    else link.hold();
    await delay(cutLeastMs + random() * (cutMostMs - cutLeastMs));
    link.heal();
  },
});

export const faults: readonly Fault[] = [
  terminate,
  workerKill,
  workerStop,
  gatewayKill,
  engineRestart,
  graphKill,
  laneKill,
  ...linkNames.map(cutOf),
];
