// A Redis (or Valkey) of a test's own: without persistence, on a free loopback port, to be killed, wiped and started
// again. The product does not need one, so neither do the tests: without a server on this machine they are skipped, with
// the reason in their title.

import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { createSupervisor, findFree, type Child } from '../src/parts/index.ts';

const programs = ['redis-server', 'valkey-server'];

/** `REDIS_SERVER`, else the first on `PATH`; `null`: there is none. */
export const redisProgram: string | null =
  process.env['REDIS_SERVER'] ??
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => programs.map((program) => join(folder, program)))
    .find(canRun) ??
  null;

/** For titles. */
export const withoutRedis = 'skipped: neither redis-server nor valkey-server is on PATH, and REDIS_SERVER names none';

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Asks and changes what is in it. */
  readonly client: Redis;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** On the same port, empty. */
  startAgain(): Promise<void>;
  close(): Promise<void>;
}

/** @param settings of its command line, without dashes */
export async function startRedis(settings: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
  const host = '127.0.0.1';
  const port = Number(settings['port'] ?? (await findFree(host)));
  const dataDir = await mkdtemp(join(tmpdir(), 'candor-redis-'));
  const supervisor = createSupervisor({ dataDir });
  const all = { port: `${port}`, bind: host, save: '', appendonly: 'no', dir: dataDir, ...settings };
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  const start = async (): Promise<Child> =>
    supervisor.start({ name: 'redis', command: redisProgram ?? 'redis-server', args, env: {} });
  let child = await start();
  const password = settings['requirepass'];
  const client = new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
  });
  // Swallowed: it is killed on purpose, and comes back.
  client.on('error', () => undefined);
  await new Promise((resolve) => client.once('ready', resolve));
  return {
    port,
    url: `redis://${host}:${port}`,
    client,
    async kill() {
      process.kill(-child.pid, 'SIGKILL');
      await child.exited;
    },
    async startAgain() {
      child = await start();
      await client.ping();
    },
    async close() {
      client.disconnect();
      await supervisor.stopAll();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) return false;
    throw error;
  }
}
