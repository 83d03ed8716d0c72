// Those that are measured side by side, and the load that meets them all: started together, asked in turn, so that
// whatever else the machine does meets each of them.

import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { issueDevToken } from '../../src/api/auth/dev-token.ts';
import { auditWorkflowId, turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import { foundServers } from '../../test/found-servers.ts';
import { redisProgram, startRedis } from '../../test/redis-server.ts';
import { forkPeer, type Peer } from './calls.ts';
import type { LoadCalls, TurnsOrder, TurnsReport } from './load.ts';
import type { EngineOrder, EngineReport, LaneChoice, ProductCalls } from './product.ts';

export interface ArmChoice {
  readonly name: string;
  readonly lane: 'memory' | 'redis' | 'workflow-streams' | 'workflow-streams, default';
  readonly processes: 1 | 2;
}

export interface History {
  readonly events: number;
  readonly bytes: number;
}

export interface Arm extends Omit<ArmChoice, 'lane'> {
  turns(order: Omit<TurnsOrder, 'target'>): Promise<TurnsReport>;
  /** Past the gateway. @throws Error when gateway and worker are two processes */
  engine(order: EngineOrder): Promise<EngineReport>;
  /** Of its processes together, since they began. */
  cpuMs(): Promise<number>;
  /** Polls of the rival that failed and were made again; 0 for everybody else. */
  failedPolls(): Promise<number>;
}

export interface Arena {
  readonly arms: readonly Arm[];
  /** Names of those that were left out, because there is no Redis on this machine. */
  readonly leftOut: readonly string[];
  /** Resolves when the audits of these turns have ended: they would take their time from whoever comes next. */
  settle(turnIds: readonly string[]): Promise<void>;
  /** As the server counts it. */
  history(turnId: string): Promise<History>;
  /** Names of the signals and updates in it, in order. */
  messages(turnId: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

const agentId = 'operator';

/** Code that runs for the first time, and connections that are made for the first time, are not what is measured. */
const warmUp = { turns: 10, atOnce: 10, tokens: 50, paceMs: null, moreReaders: 0, latencies: false } as const;

/** Opens an arena for as long as something is measured in it. */
export async function withArena<Result>(
  choices: readonly ArmChoice[],
  measure: (arena: Arena) => Promise<Result>,
): Promise<Result> {
  const arena = await openArena(choices);
  try {
    return await measure(arena);
  } finally {
    await arena.close();
  }
}

/** @throws Error when one of the sides cannot be started; nothing is left running then */
export async function openArena(choices: readonly ArmChoice[]): Promise<Arena> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const { address, namespace } = foundServers().temporal;
    const connection = await Connection.connect({ address });
    closers.push(() => connection.close());
    const client = new Client({ connection, namespace });
    const load = forkPeer<LoadCalls>(new URL('load-process.ts', import.meta.url));
    closers.push(() => load.close());
    const upstreamUrl = await load.call('start', null);
    const wanted = choices.filter(({ lane }) => lane !== 'redis' || redisProgram !== null);
    const redis = wanted.some(({ lane }) => lane === 'redis') ? await startRedis() : null;
    if (redis !== null) closers.push(() => redis.close());

    const openArm = async ({ lane, ...choice }: ArmChoice): Promise<Arm> => {
      const order = {
        lane: toLane(lane, redis?.url ?? ''),
        taskQueue: `bench-${randomUUID()}`,
        upstreamUrl,
        secret: randomUUID(),
      };
      const roles = choice.processes === 1 ? (['both'] as const) : (['worker', 'gateway'] as const);
      const peers = roles.map((role) => {
        const peer = forkPeer<ProductCalls>(new URL('product-process.ts', import.meta.url));
        closers.push(() => peer.close());
        return { peer, started: peer.call('start', { ...order, roles: role }) };
      });
      const sumOf = async (ask: (peer: Peer<ProductCalls>) => Promise<number>): Promise<number> =>
        (await Promise.all(peers.map(({ peer }) => ask(peer)))).reduce((sum, each) => sum + each, 0);
      const urls = await Promise.all(peers.map(({ started }) => started));
      const url = urls.find((each) => each !== '') ?? '';
      const token = await issueDevToken(new TextEncoder().encode(order.secret), { user: 'ada' });
      return {
        ...choice,
        turns: (turns) => load.call('turns', { ...turns, target: { url, token, agentId } }),
        engine: async (turns) => {
          const [both] = peers;
          if (both === undefined || choice.processes === 2) throw new Error('unable to start turns past two processes');
          return both.peer.call('engine', turns);
        },
        cpuMs: () => sumOf((peer) => peer.call('cpuMs', null)),
        failedPolls: () => sumOf((peer) => peer.call('failedPolls', null)),
      };
    };
    const settle = async (turnIds: readonly string[]): Promise<void> => {
      const handles = turnIds.map((turnId) => client.workflow.getHandle(auditWorkflowId(turnId as TurnId)));
      await Promise.all(handles.map((handle) => handle.result()));
    };
    const arms = await Promise.all(wanted.map(openArm));
    for (const arm of arms) await settle((await arm.turns(warmUp)).turnIds);
    return {
      arms,
      leftOut: choices.filter((choice) => !wanted.includes(choice)).map(({ name }) => name),
      settle,
      history: async (turnId) => {
        const { raw } = await client.workflow.getHandle(turnWorkflowId(turnId as TurnId)).describe();
        const { historyLength, historySizeBytes } = raw.workflowExecutionInfo ?? {};
        return { events: Number(historyLength), bytes: Number(historySizeBytes) };
      },
      messages: async (turnId) => {
        const { events } = await client.workflow.getHandle(turnWorkflowId(turnId as TurnId)).fetchHistory();
        return (events ?? []).flatMap((event) => {
          const signal = event.workflowExecutionSignaledEventAttributes?.signalName;
          const update = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name;
          return signal ?? update ?? [];
        });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function toLane(lane: ArmChoice['lane'], redisUrl: string): LaneChoice {
  switch (lane) {
    case 'memory':
      return { kind: 'memory' };
    case 'redis':
      return { kind: 'redis', url: redisUrl };
    case 'workflow-streams':
      return { kind: 'workflow-streams', batchInterval: '200 milliseconds' };
    case 'workflow-streams, default':
      return { kind: 'workflow-streams', batchInterval: null };
  }
}
