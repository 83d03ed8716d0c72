// Temporal on its database and Neo4j on its data, that can be killed and started again where they were. Everybody else
// of a chaos run knows only their addresses.

import { join } from 'node:path';
import {
  createProgressRenderer,
  createSupervisor,
  prepareNeo4j,
  locateTemporalCli,
  startNeo4j,
  startTemporal,
  toCacheDir,
  toPlatform,
  type PartsContext,
} from '../../src/parts/index.ts';
import { searchAttributes } from '../../src/protocol/turn.ts';
import { loadWorkflowBundle } from '../../src/run/workflow-bundle.ts';
import { findSteadyPort } from './steady-port.ts';

const host = '127.0.0.1';

export interface MortalServer {
  readonly host: string;
  readonly port: number;
  /** Resolves when the process is gone. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** On the same port and data; resolves when it answers. */
  start(): Promise<void>;
}

export interface ChaosServers {
  readonly temporal: MortalServer & { readonly namespace: string };
  readonly neo4j: MortalServer & { readonly user: string; readonly password: string };
  readonly bundleDir: string;
  close(): Promise<void>;
}

interface Process {
  readonly pid: number;
  readonly exited: Promise<unknown>;
}

/** @param dataDir is emptied by the caller. @throws PartError */
export async function startServers(env: NodeJS.ProcessEnv, dataDir: string): Promise<ChaosServers> {
  const platform = toPlatform(process.platform, process.arch);
  const report = createProgressRenderer(process.stderr);
  const context: PartsContext = { cacheDir: toCacheDir(env, platform), platform, env, report };
  const executable = (await locateTemporalCli(context)).path;
  const { java, jars } = await prepareNeo4j(context);
  const supervisor = createSupervisor({ dataDir });
  const [port, boltPort] = [await findSteadyPort(host), await findSteadyPort(host)];
  const bundleDir = join(dataDir, 'bundle');
  const dbFile = join(dataDir, 'temporal.db');
  const home = join(dataDir, 'neo4j');

  const startEngine = () => startTemporal({ supervisor, executable, env, ip: host, port, dbFile, searchAttributes });
  const startGraph = () => startNeo4j({ supervisor, java: java.path, libDir: jars.path, env, home, host, boltPort });
  const close = (): Promise<void> => supervisor.stopAll();
  try {
    const [engine, graph] = await Promise.all([startEngine(), startGraph(), loadWorkflowBundle(bundleDir)]);
    const { namespace } = engine;
    const { user, password } = graph;
    return {
      temporal: { ...createMortal(port, engine, startEngine), namespace },
      neo4j: { ...createMortal(boltPort, graph, startGraph), user, password },
      bundleDir,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function createMortal(port: number, first: Process, startAgain: () => Promise<Process>): MortalServer {
  let current = first;
  return {
    host,
    port,
    async kill(signal) {
      // The whole group: the server may be a child of what was started.
      process.kill(-current.pid, signal);
      await current.exited;
    },
    async start() {
      current = await startAgain();
    },
  };
}
