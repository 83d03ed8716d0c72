// Builds a running Candor from addresses: worker, gateway, or both in one process with one connection. What starts last
// stops first. Used by every composition root, and by the tests, so that they run what production runs.

import type { AddressInfo } from 'node:net';
import { Client } from '@temporalio/client';
import {
  NativeConnection,
  TransportError,
  Worker,
  type InjectedSinks,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type { FastifyInstance } from 'fastify';
import { createActivities } from '../activities/index.ts';
import { createTurnReader } from '../activities/turn-reading.ts';
import { createAgentFiles } from '../agents/agent-files.ts';
import type { GatewayDependencies } from '../api/gateway-dependencies.ts';
import { createTemporalEngine } from '../api/temporal-engine.ts';
import { createGraph, type Graph, type GraphOptions } from '../graph/neo4j.ts';
import { createMemoryLane } from '../live/memory.ts';
import { createOpenAiModel } from '../llm/openai.ts';
import { createCandorMetrics, type CandorMetrics, type MetricsText } from '../metrics/candor-metrics.ts';
import type { LiveLane, ModelReadiness, ReceiptSigner, TurnEngine } from '../protocol/ports.ts';
import { publishedTiers, type TierPolicies } from '../protocol/tiers.ts';
import type { AheadSinks } from '../workflows/chat-turn.ts';
import type { EventSinks } from '../workflows/event-log.ts';
import type { Logger } from './log.ts';
import { ensureSearchAttributes } from './search-attributes.ts';
import { StartError } from './start-error.ts';
import { openWorkerLines, type WorkerLines } from './worker-lines.ts';

export interface Backend {
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly model: string;
}

export type Activities = ReturnType<typeof createActivities>;

export interface CandorOptions {
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    readonly taskQueue: string;
    readonly uiUrl: string | null;
  };
  readonly neo4j: GraphOptions;
  readonly agentsDir: string;
  readonly log: Logger;
  /** Closed with the rest; absent: in memory. */
  readonly lane?: LiveLane;
  /** Stands between the parts and a port, so that a test can put a fault there; absent: nothing does. */
  readonly decorate?: {
    readonly graph?: (graph: Graph) => Graph;
    readonly lane?: (lane: LiveLane) => LiveLane;
    readonly engine?: (engine: TurnEngine) => TurnEngine;
    readonly activities?: (activities: Activities) => Activities;
  };
  /** `null`: no worker in this process. */
  readonly worker: {
    readonly bundle: WorkflowBundleWithSourceMap;
    readonly backend: Backend;
    readonly auditor: Backend;
    readonly readiness: ModelReadiness;
    /** Absent: every tier as published. */
    readonly tiers?: TierPolicies;
    readonly signer: ReceiptSigner;
    /** Address of the line by which others notice this worker's death, and ask it to stop; `null`: it has none. */
    readonly lineHost: string | null;
    /** Milliseconds that running calls may take to end, once the worker is asked to stop. Then they are handed over. */
    readonly drainMs: number;
  } | null;
  /** `null`: no gateway in this process. */
  readonly gateway:
    | (Pick<GatewayDependencies, 'verifyToken' | 'checkOrigin' | 'signIn' | 'modelStatus' | 'webDir' | 'log'> & {
        readonly host: string;
        readonly port: number;
        readonly defaultModel: string;
      })
    | null;
}

export interface RunningCandor {
  /** Of the gateway; `null` without one. */
  readonly url: string | null;
  readonly graph: Graph;
  readonly lane: LiveLane;
  /** The figures of worker and gateway, for Prometheus. */
  metrics(): Promise<MetricsText>;
  /** Rejects when the worker stops by itself. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/** @throws StartError, CandorError `graph_unavailable` */
export async function runCandor(options: CandorOptions): Promise<RunningCandor> {
  const { temporal, gateway, worker, log } = options;
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const given = options.lane ?? createMemoryLane();
  closers.push(() => given.close());
  try {
    const connection = await connect(temporal.address);
    closers.push(() => connection.close());
    const neo4j = createGraph(options.neo4j);
    closers.push(() => neo4j.close());
    const graph = options.decorate?.graph?.(neo4j) ?? neo4j;
    const lane = options.decorate?.lane?.(given) ?? given;
    await Promise.all([graph.migrate(), ensureSearchAttributes(connection, temporal.namespace)]);
    const metrics = createCandorMetrics({ lane });
    closers.push(async () => metrics.close());
    const client = new Client({ connection, namespace: temporal.namespace });
    const { taskQueue } = temporal;
    const line = worker === null ? null : { host: worker.lineHost };
    const lines = await openWorkerLines({ client, taskQueue, lane, log, worker: line });
    closers.push(() => lines.close());

    let failed: Promise<never> = new Promise<never>(() => undefined);
    if (worker !== null) {
      // Before the first turn: whoever holds a receipt finds its key.
      await graph.publishReceiptKey(worker.signer.publicKey);
      const started = await startWorker(options, worker, connection, graph, lane, lines, metrics);
      closers.push(() => started.stop());
      failed = started.failed;
    }
    let url: string | null = null;
    if (gateway !== null) {
      // A worker that takes over after a death starts sooner without what only a gateway needs.
      const { createApp } = await import('../api/app.ts');
      const engine = createTemporalEngine({
        client,
        taskQueue,
        uiUrl: temporal.uiUrl,
        eagerStart: worker !== null,
      });
      const app = await createApp({
        ...gateway,
        graph,
        receiptKeys: graph,
        lane: withLines(lane, lines),
        agents: createAgentFiles({ dir: options.agentsDir }),
        temporalUi: temporal.uiUrl,
        metrics,
        engine: options.decorate?.engine?.(engine) ?? engine,
      });
      closers.push(() => app.close());
      await listen(app, gateway);
      const { port } = app.server.address() as AddressInfo;
      url = `http://${gateway.host}:${port}`;
    }
    return { url, graph, lane, metrics: () => metrics.read(), failed, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A stop reaches the model's connection wherever it is: in this process by the lane, in others by their lines. */
const withLines = (lane: LiveLane, lines: WorkerLines): LiveLane => ({
  ...lane,
  requestStop(turnId, requestedAt) {
    lane.requestStop(turnId, requestedAt);
    lines.requestStop(turnId, requestedAt);
  },
});

/** How long a call may take to end when it is handed over; longer ones are left to their death notice. */
const handOverMs = 6_000;

async function connect(address: string): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect({ address });
  } catch (cause) {
    if (!(cause instanceof TransportError)) throw cause;
    const advice = 'check TEMPORAL_ADDRESS and that the server runs there';
    throw new StartError(`unable to reach Temporal at ${address}; nothing answers: ${advice}`, { cause });
  }
}

async function listen(
  app: FastifyInstance,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall !== 'listen' && syscall !== 'getaddrinfo') throw cause;
    throw new StartError(`unable to listen on ${host} port ${port}; ${code}: choose another HOST or PORT`, { cause });
  }
}

async function startWorker(
  { temporal, agentsDir, decorate }: CandorOptions,
  {
    bundle,
    backend,
    auditor,
    readiness,
    tiers = publishedTiers,
    signer,
    drainMs,
  }: NonNullable<CandorOptions['worker']>,
  connection: NativeConnection,
  graph: Graph,
  lane: LiveLane,
  lines: WorkerLines,
  metrics: CandorMetrics,
): Promise<{ readonly failed: Promise<never>; stop(): Promise<void> }> {
  const model = createOpenAiModel(backend);
  const auditModel = createOpenAiModel(auditor);
  const reader = createTurnReader({ graph, agents: createAgentFiles({ dir: agentsDir }), nowMs: Date.now });
  const activities = createActivities({
    graph,
    reader,
    lane,
    model,
    defaultModel: backend.model,
    auditor: auditModel,
    auditModel: auditor.model,
    readiness,
    tiers,
    signer,
    calls: metrics.calls,
  });
  const sinks: InjectedSinks<EventSinks & AheadSinks> = {
    events: { publish: { fn: (_info, event) => lane.publish(event), callDuringReplay: false } },
    // Behind this tick: what the workflow has decided goes to Temporal first, and is what the step waits for.
    ahead: { begin: { fn: (_info, turn) => void setImmediate(() => reader.begin(turn)), callDuringReplay: false } },
  };
  const created = await Worker.create({
    connection,
    namespace: temporal.namespace,
    identity: lines.identity,
    taskQueue: temporal.taskQueue,
    workflowBundle: bundle,
    activities: decorate?.activities?.(activities) ?? activities,
    sinks,
    // A heartbeat that is held back for longer than the stop may take would hold the stop back too.
    maxHeartbeatThrottleInterval: '500ms',
    defaultHeartbeatThrottleInterval: '500ms',
    // A dead worker's workflows are offered to it for so long before they are offered to the others. Repeating a turn's
    // few events costs less than waiting.
    stickyQueueScheduleToStartTimeout: '500ms',
    shutdownGraceTime: drainMs,
    shutdownForceTime: drainMs + handOverMs,
  });
  const run = created.run();
  return {
    failed: run.then(() => new Promise<never>(() => undefined)),
    async stop() {
      if (created.getState() === 'RUNNING') created.shutdown();
      await run.then(
        () => lines.goodbye(),
        // Swallowed: a worker that failed has said so through `failed`; the stop goes on with what is left. It says no
        // goodbye: what it still holds is noticed by its line's end.
        () => undefined,
      );
      await Promise.all([model.close(), auditModel.close()]);
    },
  };
}
