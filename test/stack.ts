// A whole Candor for a test: worker and gateway as production builds them, against the run's Temporal and Neo4j and the
// wire server. Each has a task queue of its own, so that test files do not answer each other's turns.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { createDevTokenVerifier, issueDevToken } from '../src/api/auth/dev-token.ts';
import { createOriginCheck } from '../src/api/auth/origin.ts';
import type { ConversationId, TurnId } from '../src/protocol/ids.ts';
import { turnWorkflowId } from '../src/protocol/ids.ts';
import type { ModelReadiness } from '../src/protocol/ports.ts';
import { loadReceiptKey } from '../src/receipts/receipt-key.ts';
import type { Tier } from '../src/protocol/turn.ts';
import { runCandor, type CandorOptions, type RunningCandor } from '../src/run/candor.ts';
import { createLog, installRuntime, type LogLevel } from '../src/run/log.ts';
import { loadWorkflowBundle } from '../src/run/workflow-bundle.ts';
import { createChatClient, type ChatClient } from './chat-client.ts';
import { createUpstream, type Upstream } from '../testing/upstream/upstream.ts';

let runtimeInstalled = false;
const log = createLog((process.env['CANDOR_TEST_LOG_LEVEL'] ?? 'fatal') as LogLevel, null);

/** The key of the model's backend: whatever a test reads, this must not be in it. */
export const wireKey = 'test-key-of-the-wire';

export interface Stack {
  readonly candor: RunningCandor;
  readonly url: string;
  readonly upstream: Upstream;
  readonly client: Client;
  readonly options: CandorOptions;
  /** Signs tokens that the gateway accepts. */
  readonly key: Uint8Array;
  token(user?: string, tier?: Tier): Promise<string>;
  /** A socket of a user; closed with the stack. */
  connect(options?: { readonly user?: string; readonly agentId?: string; readonly tier?: Tier }): Promise<ChatClient>;
  fetch(path: string, options?: RequestInit & { readonly user?: string }): Promise<Response>;
  /** The number of history events and their bytes, as the server counts them. */
  history(turnId: TurnId): Promise<{ readonly events: number; readonly bytes: number }>;
  close(): Promise<void>;
}

export interface StackOptions {
  readonly readiness?: ModelReadiness;
  readonly agentsDir?: string;
  readonly taskQueue?: string;
  readonly roles?: 'both' | 'gateway' | 'worker';
  readonly upstream?: Upstream;
  /** Base address of the model's backend; absent: the upstream's. */
  readonly backendUrl?: string;
  /** Folder of the built page; absent: none is served. */
  readonly webDir?: string;
  /** Another Temporal than the run's: one that the test may take away. Then also another Neo4j. */
  readonly temporal?: { readonly address: string; readonly namespace: string };
  readonly neo4j?: Pick<CandorOptions['neo4j'], 'uri' | 'user' | 'password'>;
  /** Of the worker; absent: the one that all stacks of the run share. */
  readonly receiptKeyFile?: string;
  /** Faults at our own ports. */
  readonly decorate?: NonNullable<CandorOptions['decorate']>;
}

export const newTurnId = (): TurnId => randomUUID() as TurnId;
export const newConversationId = (): ConversationId => randomUUID() as ConversationId;

/** The run's servers. @throws Error when the tests were not started by `npm test` */
export function testServers() {
  const read = (name: string): string => {
    const value = process.env[`CANDOR_TEST_${name}`];
    if (value === undefined)
      throw new Error(`unable to find the test servers; CANDOR_TEST_${name} is not set: run npm test -- <file>`);
    return value;
  };
  return {
    temporal: { address: read('TEMPORAL_ADDRESS'), namespace: read('TEMPORAL_NAMESPACE') },
    neo4j: { uri: read('NEO4J_URI'), user: read('NEO4J_USER'), password: read('NEO4J_PASSWORD') },
    bundleDir: read('BUNDLE_DIR'),
  };
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  if (!runtimeInstalled) installRuntime(log);
  runtimeInstalled = true;
  const run = testServers();
  const servers = { ...run, temporal: options.temporal ?? run.temporal, neo4j: options.neo4j ?? run.neo4j };
  const roles = options.roles ?? 'both';
  const upstream = options.upstream ?? (await createUpstream());
  const key = new TextEncoder().encode(randomUUID());
  const verifyToken = createDevTokenVerifier(key);
  const backend = { baseUrl: options.backendUrl ?? upstream.url, apiKey: wireKey, model: 'wire-model' };
  const candorOptions: CandorOptions = {
    temporal: {
      ...servers.temporal,
      taskQueue: options.taskQueue ?? `test-${randomUUID()}`,
      uiUrl: 'http://127.0.0.1:8233',
    },
    neo4j: servers.neo4j,
    agentsDir: options.agentsDir ?? fileURLToPath(new URL('../agents', import.meta.url)),
    log,
    decorate: {
      ...options.decorate,
      graph(inner) {
        const graph = options.decorate?.graph?.(inner) ?? inner;
        // Files share the run's graph, and some link turns there that never had a workflow: they are not to be swept.
        return options.neo4j === undefined ? { ...graph, openTurns: async () => [] } : graph;
      },
    },
    worker:
      roles === 'gateway'
        ? null
        : {
            bundle: await loadWorkflowBundle(servers.bundleDir),
            backend,
            auditor: { ...backend, model: 'wire-auditor' },
            readiness: options.readiness ?? (() => null),
            signer: await loadReceiptKey(options.receiptKeyFile ?? join(servers.bundleDir, 'receipt-key.json')),
            lineHost: '127.0.0.1',
            drainMs: 2_000,
          },
    gateway:
      roles === 'worker'
        ? null
        : {
            host: '127.0.0.1',
            port: 0,
            defaultModel: backend.model,
            verifyToken,
            checkOrigin: createOriginCheck([]),
            signIn: null,
            modelStatus: () => ({ state: 'ready', name: backend.model }),
            webDir: options.webDir ?? null,
            log,
          },
  };
  const closeUpstream = async (): Promise<void> => {
    if (options.upstream === undefined) await upstream.close();
  };
  const candor = await runCandor(candorOptions).catch(async (error: unknown) => {
    // A server that is left listening would keep Jest from ending.
    await closeUpstream();
    throw error;
  });
  const connection = await Connection.connect({ address: servers.temporal.address });
  const client = new Client({ connection, namespace: servers.temporal.namespace });
  const sockets: ChatClient[] = [];
  const url = candor.url ?? '';
  const token = (user = 'ada', tier: Tier = 'enterprise'): Promise<string> => issueDevToken(key, { user, tier });

  return {
    candor,
    url,
    upstream,
    client,
    options: candorOptions,
    key,
    token,
    async connect({ user = 'ada', agentId = 'operator', tier } = {}) {
      const socket = await createChatClient({ url, agentId, token: await token(user, tier) });
      sockets.push(socket);
      return socket;
    },
    async fetch(path, { user = 'ada', headers, ...init } = {}) {
      const json = init.body === undefined ? {} : { 'content-type': 'application/json' };
      return fetch(`${url}${path}`, {
        ...init,
        headers: {
          authorization: `Bearer ${await token(user)}`,
          ...json,
          ...(headers as Record<string, string> | undefined),
        },
      });
    },
    async history(turnId) {
      const { raw } = await client.workflow.getHandle(turnWorkflowId(turnId)).describe();
      const info = raw.workflowExecutionInfo;
      return { events: Number(info?.historyLength), bytes: Number(info?.historySizeBytes) };
    },
    async close() {
      for (const socket of sockets) socket.close();
      await candor.close();
      await connection.close();
      await closeUpstream();
    },
  };
}
