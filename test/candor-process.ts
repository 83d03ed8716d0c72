// `candor worker` and `candor gateway` as an operator runs them: processes of their own against the run's servers and a
// wire server. What they can be asked is what an operator can ask: signals, output, exit, and the gateway's address.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { issueDevToken } from '../src/api/auth/dev-token.ts';
import { launch, type Env, type Launched } from './run/launch.ts';
import { testServers } from './stack.ts';

export interface ProcessOptions {
  readonly taskQueue: string;
  /** Base address of the model server, ends with `/v1`. */
  readonly upstreamUrl: string;
  /** Absent: the run's. Give an address of a proxy to stand in between. */
  readonly servers?: Pick<ReturnType<typeof testServers>, 'temporal' | 'neo4j'> & {
    /** Absent: the run's. */
    readonly bundleDir?: string;
  };
  /** Folder of agents; absent: those of this checkout. */
  readonly agentsDir?: string;
  /** Goes before everything else. */
  readonly env?: Env;
}

export interface CandorProcess extends Pick<Launched, 'pid' | 'output' | 'exited' | 'kill' | 'until'> {
  /** Resolves when it serves; rejects with its output when it ends before. */
  readonly ready: Promise<void>;
  /** Ends it when it still runs, waits for its end, removes its folder. */
  close(): Promise<void>;
}

export interface GatewayProcess extends CandorProcess {
  /** Known when `ready` has resolved. */
  readonly url: string;
  /** Signs tokens that this gateway accepts. */
  token(user?: string): Promise<string>;
}

export const launchWorker = (options: ProcessOptions): Promise<CandorProcess> =>
  start('worker', options, {}, /^worker polls /m);

/** @param secret of the tokens; absent: one of its own. Two gateways with one secret accept each other's tokens. */
export async function launchGateway(options: ProcessOptions, secret: string = randomUUID()): Promise<GatewayProcess> {
  const listens = /gateway listens at (\S+)/;
  const gateway = await start('gateway', options, { PORT: '0', CANDOR_JWT_SECRET: secret }, listens);
  return {
    ...gateway,
    get output() {
      return gateway.output;
    },
    get url() {
      return listens.exec(gateway.output)?.[1] ?? '';
    },
    token: (user = 'ada') => issueDevToken(new TextEncoder().encode(secret), { user }),
  };
}

async function start(
  role: 'worker' | 'gateway',
  { taskQueue, upstreamUrl, agentsDir, servers, env = {} }: ProcessOptions,
  own: Env,
  serves: RegExp,
): Promise<CandorProcess> {
  const { temporal, neo4j, bundleDir = testServers().bundleDir } = servers ?? testServers();
  const dataDir = await mkdtemp(join(tmpdir(), `candor-${role}-`));
  // Bundling takes seconds that every process would spend again.
  await symlink(bundleDir, join(dataDir, 'bundles'));
  const home = {
    cwd: dataDir,
    dataDir,
    env: {
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      TEMPORAL_TASK_QUEUE: taskQueue,
      NEO4J_URI: neo4j.uri,
      NEO4J_USER: neo4j.user,
      NEO4J_PASSWORD: neo4j.password,
      OPENAI_BASE_URL: upstreamUrl,
      OPENAI_API_KEY: 'test-key-of-the-wire',
      OPENAI_MODEL: 'wire-model',
      CANDOR_DATA_DIR: dataDir,
      CANDOR_AGENTS_DIR: agentsDir ?? fileURLToPath(new URL('../agents', import.meta.url)),
      CANDOR_LOG_LEVEL: 'warn',
      // An installation in the middle of a test would pull the packages from under it.
      CANDOR_SKIP_INSTALL: '1',
      ...own,
    },
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
  const launched = launch(home, [role], env);
  const ready = launched.until(serves).then(() => undefined);
  // A process that is killed while it starts rejects; whoever waits for `ready` hears it, whoever does not need not.
  ready.catch(() => undefined);
  return {
    pid: launched.pid,
    ready,
    exited: launched.exited,
    get output() {
      return launched.output;
    },
    kill: (signal) => launched.kill(signal),
    until: (pattern) => launched.until(pattern),
    async close() {
      launched.kill('SIGKILL');
      await launched.exited;
      await home.remove();
    },
  };
}
