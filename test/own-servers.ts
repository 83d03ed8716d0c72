// Servers that one test file has for itself, so that it can take them away: found as the run's own were, on ports of
// their own, with data that outlives them. Whoever kills one waits for its end and starts it again on the same data.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSupervisor,
  findFree,
  prepareTestParts,
  startNeo4j,
  startTemporal,
  toCacheDir,
  toPlatform,
  type RunningNeo4j,
  type RunningTemporal,
  type TestParts,
} from '../src/parts/index.ts';
import { searchAttributes } from '../src/protocol/turn.ts';

/** A server that a test may kill. */
export interface OwnServer<Running> {
  /** As it runs, or ran last. */
  readonly running: Running;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** On the same port and data. */
  startAgain(): Promise<void>;
  /** On the same port with nothing in it. */
  startEmpty(): Promise<void>;
}

export interface OwnServers {
  temporal(): Promise<OwnServer<RunningTemporal>>;
  neo4j(): Promise<OwnServer<RunningNeo4j>>;
  /** Stops them all and removes their data. */
  close(): Promise<void>;
}

const host = '127.0.0.1';

export async function createOwnServers(): Promise<OwnServers> {
  const { env } = process;
  const dataDir = await mkdtemp(join(tmpdir(), 'candor-own-'));
  const supervisor = createSupervisor({ dataDir });
  const platform = toPlatform(process.platform, process.arch);
  const parts: TestParts = await prepareTestParts({
    cacheDir: toCacheDir(env, platform),
    platform,
    env,
    report: () => undefined,
  });

  const own = async <Running extends { readonly pid: number; readonly exited: Promise<unknown> }>(
    start: (generation: number) => Promise<Running>,
  ): Promise<OwnServer<Running>> => {
    let generation = 0;
    let running = await start(generation);
    return {
      get running() {
        return running;
      },
      async kill() {
        process.kill(-running.pid, 'SIGKILL');
        await running.exited;
      },
      async startAgain() {
        running = await start(generation);
      },
      async startEmpty() {
        generation += 1;
        running = await start(generation);
      },
    };
  };

  return {
    async temporal() {
      const port = await findFree(host);
      return own((generation) =>
        startTemporal({
          supervisor,
          executable: parts.temporalCli.path,
          env,
          dbFile: join(dataDir, `temporal-${port}-${generation}.db`),
          ip: host,
          port,
          searchAttributes,
        }),
      );
    },
    async neo4j() {
      const boltPort = await findFree(host);
      const { java, jars } = parts.neo4j;
      return own((generation) =>
        startNeo4j({
          supervisor,
          java: java.path,
          libDir: jars.path,
          env,
          home: join(dataDir, `neo4j-${boltPort}-${generation}`),
          host,
          boltPort,
        }),
      );
    },
    async close() {
      await supervisor.stopAll();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
