// A measured process.

import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { createDevTokenVerifier } from '../../src/api/auth/dev-token.ts';
import { createOriginCheck } from '../../src/api/auth/origin.ts';
import { createMemoryLane } from '../../src/live/memory.ts';
import { createRedisLane } from '../../src/live/redis.ts';
import type { AgentId, ConversationId, TurnId, UserId } from '../../src/protocol/ids.ts';
import type { LiveLane, TurnEngine } from '../../src/protocol/ports.ts';
import { contentToHash, type TurnInput } from '../../src/protocol/turn.ts';
import { loadReceiptKey } from '../../src/receipts/receipt-key.ts';
import { runCandor, type CandorOptions, type RunningCandor } from '../../src/run/candor.ts';
import { loadWorkflowBundle } from '../../src/run/workflow-bundle.ts';
import { foundServers } from '../../test/found-servers.ts';
import { useTestRuntime } from '../../testing/temporal-runtime.ts';
import { bundleRivalWorkflows } from '../rivals/workflow-streams/bundle.ts';
import { createRivalLane } from '../rivals/workflow-streams/lane.ts';
import { createPublishing } from '../rivals/workflow-streams/publishing.ts';
import { serveCalls } from './calls.ts';
import type { EngineOrder, EngineReport, LaneChoice, ProductCalls, ProductOrder } from './product.ts';
import { toQuestion } from './question.ts';

const servers = foundServers();
const log = useTestRuntime('fatal');
const closers: (() => Promise<unknown>)[] = [];
let engine: TurnEngine | null = null;
let failedPolls = 0;

type Choice = Pick<CandorOptions, 'lane' | 'decorate'> & {
  readonly bundle: NonNullable<CandorOptions['worker']>['bundle'];
};

/** All that differs between those that are measured. */
async function choose(lane: LaneChoice): Promise<Choice> {
  if (lane.kind === 'workflow-streams') return chooseRival(lane.batchInterval);
  const own = (): LiveLane =>
    lane.kind === 'memory'
      ? createMemoryLane()
      : createRedisLane({ url: lane.url, namespace: servers.temporal.namespace, report: () => undefined });
  return { lane: own(), bundle: await loadWorkflowBundle(servers.bundleDir) };
}

async function chooseRival(batchInterval: '200 milliseconds' | null): Promise<Choice> {
  const { address, namespace } = servers.temporal;
  const connection = await NativeConnection.connect({ address });
  closers.push(() => connection.close());
  const publishing = createPublishing(batchInterval === null ? {} : { batchInterval });
  return {
    lane: createRivalLane({
      client: new Client({ connection, namespace }),
      publishing,
      report: () => (failedPolls += 1),
    }),
    decorate: { activities: (activities) => publishing.around(activities) },
    bundle: await bundleRivalWorkflows(),
  };
}

async function start({ lane, roles, taskQueue, upstreamUrl, secret }: ProductOrder): Promise<string> {
  const { bundle, decorate, ...chosen } = await choose(lane);
  const backend = { baseUrl: upstreamUrl, apiKey: 'key-of-the-load', model: 'wire-model' };
  const worker = {
    bundle,
    backend,
    auditor: { ...backend, model: 'wire-auditor' },
    readiness: () => null,
    signer: await loadReceiptKey(join(servers.bundleDir, 'receipt-key.json')),
    lineHost: '127.0.0.1',
    drainMs: 2_000,
  };
  const gateway = {
    host: '127.0.0.1',
    port: 0,
    defaultModel: backend.model,
    verifyToken: createDevTokenVerifier(new TextEncoder().encode(secret)),
    checkOrigin: createOriginCheck([]),
    signIn: null,
    modelStatus: () => ({ state: 'ready', name: backend.model }) as const,
    webDir: null,
    log,
  };
  const candor: RunningCandor = await runCandor({
    ...chosen,
    temporal: { ...servers.temporal, taskQueue, uiUrl: null },
    neo4j: servers.neo4j,
    agentsDir: fileURLToPath(new URL('../../agents', import.meta.url)),
    log,
    decorate: {
      ...decorate,
      engine: (own) => (engine = own),
      // Turns of other task queues lie in the same graph: sweeping them is nobody's work here.
      graph: (graph) => ({ ...graph, openTurns: async () => [], isEngineOfTurns: async () => true }),
    },
    worker: roles === 'gateway' ? null : worker,
    gateway: roles === 'worker' ? null : gateway,
  });
  closers.push(() => candor.close());
  return candor.url ?? '';
}

async function runEngine({ turns, atOnce, ...order }: EngineOrder): Promise<EngineReport> {
  const own = engine;
  if (own === null) throw new Error('unable to start turns; this process has no gateway, whose engine it would take');
  const turnIds: string[] = [];
  const signal = new AbortController().signal;
  let begun = 0;
  const beganAt = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (begun < turns) {
        begun += 1;
        const turnId = randomUUID() as TurnId;
        await own.start(toInput(turnId, toQuestion(turnId, order)));
        const end = await own.waitForEnd(turnId, signal);
        if (end?.state !== 'closed' || end.result.outcome !== 'completed')
          throw new Error(`unable to measure the engine; a turn did not complete: ${JSON.stringify(end)}`);
        turnIds.push(turnId);
      }
    }),
  );
  return { turnIds, tookMs: performance.now() - beganAt };
}

/** As the gateway makes it of a message. */
function toInput(turnId: TurnId, text: string): TurnInput {
  const turn = {
    conversationId: randomUUID() as ConversationId,
    userId: 'ada' as UserId,
    agentId: 'operator' as AgentId,
    text,
    parentTurnId: null,
    regenerateOf: null,
    attachments: [],
  };
  const contentSha256 = createHash('sha256').update(contentToHash(turn), 'utf8').digest('hex');
  return { ...turn, turnId, busy: 'enqueue', tier: 'enterprise', contentSha256 };
}

const served: ProductCalls = {
  start,
  engine: runEngine,
  failedPolls: async () => failedPolls,
  async cpuMs() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
};
serveCalls(served, async () => {
  for (const closer of closers.splice(0).reverse()) await closer();
});
