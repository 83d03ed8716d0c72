// The real servers of a run, for tests and benchmarks alike: found or fetched, started once, stopped at its end. Each
// test has conversations, users and task queues of its own, so nobody has to clean up after anybody.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  createProgressRenderer,
  createSupervisor,
  findFree,
  locateLlama,
  locateModelFile,
  PartError,
  prepareTestParts,
  startNeo4j,
  startTemporal,
  toCacheDir,
  toPlatform,
  type PartsContext,
  type Supervisor,
} from '../src/parts/index.ts';
import { searchAttributes } from '../src/protocol/turn.ts';
import { loadWorkflowBundle } from '../src/run/workflow-bundle.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const host = '127.0.0.1';

/**
 * Runs Node on the arguments with the servers' addresses in its environment, and stops everything when it ends, or when
 * this process is told to. Resolves with the exit code; 1 with one sentence when a server cannot be had.
 */
export async function runWithServers(nodeArgs: readonly string[]): Promise<number> {
  const { env } = process;
  const dataDir = await mkdtemp(join(tmpdir(), 'candor-test-'));
  const supervisor = createSupervisor({ dataDir });
  const stop = async (): Promise<void> => {
    await supervisor.stopAll();
    await rm(dataDir, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void stop().finally(() => process.exit(130)));
  }
  try {
    const servers = await startServers(env, dataDir, supervisor);
    return await runNode(nodeArgs, { ...env, ...servers });
  } catch (error) {
    if (!(error instanceof PartError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    await stop();
  }
}

/** Gives the variables by which tests find the servers; `testServers` in stack.ts reads them. */
async function startServers(
  env: NodeJS.ProcessEnv,
  dataDir: string,
  supervisor: Supervisor,
): Promise<Record<string, string>> {
  const platform = toPlatform(process.platform, process.arch);
  const report = createProgressRenderer(process.stderr);
  const context: PartsContext = { cacheDir: toCacheDir(env, platform), platform, env, report };
  const parts = await prepareTestParts(context);
  const model = env['CANDOR_TEST_MODEL'] === '1' ? await prepareModel(context) : {};
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
    CANDOR_TEST_TEMPORAL_ADDRESS: temporal.address,
    CANDOR_TEST_TEMPORAL_NAMESPACE: temporal.namespace,
    CANDOR_TEST_TEMPORAL_CLI: parts.temporalCli.path,
    CANDOR_TEST_TIME_SKIPPING_SERVER: parts.temporalTestServer.path,
    CANDOR_TEST_NEO4J_URI: neo4j.uri,
    CANDOR_TEST_NEO4J_USER: neo4j.user,
    CANDOR_TEST_NEO4J_PASSWORD: neo4j.password,
    CANDOR_TEST_BUNDLE_DIR: bundleDir,
    CANDOR_TEST_CACHE_DIR: context.cacheDir,
    ...model,
  };
}

async function prepareModel(context: PartsContext): Promise<Record<string, string>> {
  const [llama, file] = [await locateLlama(context), await locateModelFile(context, 'default')];
  return { MODEL_FILE: file.path, CANDOR_LLAMA_DIR: llama.path };
}

function runNode(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
