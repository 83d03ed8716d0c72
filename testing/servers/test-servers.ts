// The real servers that tests run against: Temporal's dev server, Neo4j, and the time-skipping server, which each rig
// starts for itself. Found on this machine or fetched once into the user's cache folder, with empty data in a folder of
// the run's own, on free ports of the loopback interface.

import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
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
  type PartsContext,
  type Report,
} from '../../src/parts/index.ts';
import { searchAttributes } from '../../src/protocol/turn.ts';
import { loadWorkflowBundle } from '../../src/run/workflow-bundle.ts';
import { readVariables, type Env, type ServerAddresses } from './variables.ts';

export interface TestServers extends ServerAddresses {
  /** Ends what was started here and removes its data; servers that were found go on. */
  stop(): Promise<void>;
}

export interface StartedServers extends TestServers {
  /** By which the parts were found: the cache folder, and the path of Temporal's own command. */
  readonly context: PartsContext;
  readonly temporalCli: string;
  /** Process of Temporal's server, to be asked what it costs. */
  readonly temporalPid: number;
}

export interface ServersUnderWay {
  /** Rejects with PartError when a server cannot be had; nothing is left running then. */
  readonly started: Promise<StartedServers>;
  /** At any time, also while they start. */
  stop(): Promise<void>;
}

export interface TestServersOptions {
  /** Names servers of the run (`CANDOR_TEST_…`), parts and the cache folder; absent: this process's own. */
  readonly env?: Env;
  /** Told of each download; absent: nobody is. */
  readonly report?: Report;
}

const host = '127.0.0.1';

/**
 * The servers of the run when it has some, else servers of one's own, up within some 10 s.
 *
 * @throws PartError with one sentence when a server cannot be had
 */
export async function startTestServers(options: TestServersOptions = {}): Promise<TestServers> {
  const { env = process.env, report = () => undefined } = options;
  const found = readVariables(env);
  if (found !== null) return { ...found, stop: async () => undefined };
  return openServers({ env, report }).started;
}

/** Servers of one's own in any case. They end with this process, however it ends. */
export function openServers({ env, report }: Required<TestServersOptions>): ServersUnderWay {
  const dataDir = mkdtempSync(join(tmpdir(), 'candor-test-'));
  const supervisor = createSupervisor({ dataDir });
  const stop = async (): Promise<void> => {
    await supervisor.stopAll();
    await rm(dataDir, { recursive: true, force: true });
  };

  const start = async (): Promise<StartedServers> => {
    const platform = toPlatform(process.platform, process.arch);
    const context: PartsContext = { cacheDir: toCacheDir(env, platform), platform, env, report };
    const parts = await prepareTestParts(context);
    const [port, boltPort] = [await findFree(host), await findFree(host)];
    const bundleDir = join(dataDir, 'bundle');
    const { java, jars } = parts.neo4j;
    const home = join(dataDir, 'neo4j');
    const [temporal, neo4j] = await Promise.all([
      startTemporal({ supervisor, executable: parts.temporalCli.path, env, ip: host, port, searchAttributes }),
      startNeo4j({ supervisor, java: java.path, libDir: jars.path, env, home, host, boltPort }),
      loadWorkflowBundle(bundleDir),
    ]);
    return {
      temporal: { address: temporal.address, namespace: temporal.namespace },
      neo4j: { uri: neo4j.uri, user: neo4j.user, password: neo4j.password },
      timeSkippingServer: parts.temporalTestServer.path,
      bundleDir,
      context,
      temporalCli: parts.temporalCli.path,
      temporalPid: temporal.pid,
      stop,
    };
  };
  const started = start().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { started, stop };
}
