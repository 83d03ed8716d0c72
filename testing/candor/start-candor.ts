// A whole Candor for a test: worker and gateway as production builds them, against real servers; the model is the wire
// server. Each has a task queue of its own, so that test files do not answer each other's turns.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createDevTokenVerifier, issueDevToken } from '../../src/api/auth/dev-token.ts';
import { createOriginCheck } from '../../src/api/auth/origin.ts';
import { turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import type { ModelReadiness } from '../../src/protocol/ports.ts';
import type { TierPolicies } from '../../src/protocol/tiers.ts';
import type { Tier } from '../../src/protocol/turn.ts';
import { loadReceiptKey } from '../../src/receipts/receipt-key.ts';
import { runCandor, type CandorOptions, type RunningCandor } from '../../src/run/candor.ts';
import type { LogLevel } from '../../src/run/log.ts';
import { loadWorkflowBundle } from '../../src/run/workflow-bundle.ts';
import type { ServerAddresses } from '../servers/variables.ts';
import { useTestRuntime } from '../temporal-runtime.ts';
import { createUpstream, type Upstream } from '../upstream/upstream.ts';
import { createChatClient, type ChatClient } from './chat-client.ts';

export interface StartOptions {
  readonly servers: Pick<ServerAddresses, 'temporal' | 'neo4j' | 'bundleDir'>;
  /** Folder of the agents' files. */
  readonly agentsDir: string;
  /** Agent of a socket that names none. */
  readonly agentId: string;
  /** Absent: a model server of its own, closed with it. */
  readonly upstream?: Upstream;
  /** Of the model; absent: that of `upstream`. */
  readonly backendUrl?: string;
  readonly readiness?: ModelReadiness;
  /** What tiers add; absent: nothing. */
  readonly tiers?: TierPolicies;
  /** Several with one task queue share their turns; absent: one of its own. */
  readonly taskQueue?: string;
  readonly roles?: 'both' | 'gateway' | 'worker';
  /** Folder of the built page; absent: none is served. */
  readonly webDir?: string;
  /** Of the worker; absent: one that all share that share the servers. */
  readonly receiptKeyFile?: string;
  /** Faults at Candor's own ports. */
  readonly decorate?: NonNullable<CandorOptions['decorate']>;
  readonly logLevel?: LogLevel;
}

export interface StartedCandor {
  readonly candor: RunningCandor;
  /** Of the gateway; empty without one. */
  readonly url: string;
  readonly upstream: Upstream;
  /** Of Temporal, to look at workflows. */
  readonly client: Client;
  readonly options: CandorOptions;
  /** Signs tokens that the gateway accepts. */
  readonly key: Uint8Array;
  /** Of `ada`, tier `enterprise`, unless said otherwise. */
  token(user?: string, tier?: Tier): Promise<string>;
  /** A socket of a user; closed with the rest. */
  connect(options?: { readonly user?: string; readonly agentId?: string; readonly tier?: Tier }): Promise<ChatClient>;
  /** A request to the gateway with a token of the user. */
  fetch(path: string, options?: RequestInit & { readonly user?: string }): Promise<Response>;
  /** The number of history events and their bytes, as the server counts them. */
  history(turnId: TurnId): Promise<{ readonly events: number; readonly bytes: number }>;
  close(): Promise<void>;
}

/** What the worker presents to the model server: a secret that may appear nowhere. */
export const wireKey = 'test-key-of-the-wire';

/** @throws StartError, CandorError `graph_unavailable` */
export async function startCandor(start: StartOptions): Promise<StartedCandor> {
  const log = useTestRuntime(start.logLevel);
  const upstream = start.upstream ?? (await createUpstream());
  const key = new TextEncoder().encode(randomUUID());
  const closeUpstream = async (): Promise<void> => {
    if (start.upstream === undefined) await upstream.close();
  };
  const { options, candor } = await run(start, upstream, key, log).catch(async (error: unknown) => {
    // A server that is left listening would keep the test runner from ending.
    await closeUpstream();
    throw error;
  });
  const { address, namespace } = start.servers.temporal;
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  const sockets: ChatClient[] = [];
  const url = candor.url ?? '';
  const token = (user = 'ada', tier: Tier = 'enterprise'): Promise<string> => issueDevToken(key, { user, tier });

  return {
    candor,
    url,
    upstream,
    client,
    options,
    key,
    token,
    async connect({ user = 'ada', agentId = start.agentId, tier } = {}) {
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

async function run(...args: Parameters<typeof toOptions>) {
  const options = await toOptions(...args);
  return { options, candor: await runCandor(options) };
}

async function toOptions(
  { servers, roles = 'both', ...start }: StartOptions,
  upstream: Upstream,
  key: Uint8Array,
  log: CandorOptions['log'],
): Promise<CandorOptions> {
  const backend = { baseUrl: start.backendUrl ?? upstream.url, apiKey: wireKey, model: 'wire-model' };
  return {
    temporal: {
      ...servers.temporal,
      taskQueue: start.taskQueue ?? `test-${randomUUID()}`,
      uiUrl: 'http://127.0.0.1:8233',
    },
    neo4j: servers.neo4j,
    agentsDir: start.agentsDir,
    log,
    ...(start.decorate === undefined ? {} : { decorate: start.decorate }),
    worker:
      roles === 'gateway'
        ? null
        : {
            bundle: await loadWorkflowBundle(servers.bundleDir),
            backend,
            auditor: { ...backend, model: 'wire-auditor' },
            readiness: start.readiness ?? (() => null),
            ...(start.tiers === undefined ? {} : { tiers: start.tiers }),
            signer: await loadReceiptKey(start.receiptKeyFile ?? join(servers.bundleDir, 'receipt-key.json')),
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
            verifyToken: createDevTokenVerifier(key),
            checkOrigin: createOriginCheck([]),
            signIn: null,
            modelStatus: () => ({ state: 'ready', name: backend.model }),
            webDir: start.webDir ?? null,
            log,
          },
  };
}
