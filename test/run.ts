// Runs the tests: finds or fetches the real servers, starts one Temporal and one Neo4j for the whole run, then Jest.
// Each test has conversations, users and task queues of its own, so nobody has to clean up after anybody.

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
} from '../src/parts/index.ts';
import { searchAttributes } from '../src/protocol/turn.ts';
import { loadWorkflowBundle } from '../src/run/workflow-bundle.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const host = '127.0.0.1';

/** Resolves with the exit code. */
export async function runTests(jestArgs: readonly string[]): Promise<number> {
  const { env } = process;
  const platform = toPlatform(process.platform, process.arch);
  const report = createProgressRenderer(process.stderr);
  const context: PartsContext = { cacheDir: toCacheDir(env, platform), platform, env, report };
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
    const parts = await prepareTestParts(context);
    const model = env['CANDOR_TEST_MODEL'] === '1' ? await prepareModel(context) : {};
    const [port, boltPort] = [await findFree(host), await findFree(host)];
    const bundleDir = join(dataDir, 'bundle');
    const [temporal, neo4j] = await Promise.all([
      startTemporal({ supervisor, executable: parts.temporalCli.path, env, ip: host, port, searchAttributes }),
      startNeo4j({
        supervisor,
        java: parts.neo4j.java.path,
        libDir: parts.neo4j.jars.path,
        env,
        home: join(dataDir, 'neo4j'),
        host,
        boltPort,
      }),
      loadWorkflowBundle(bundleDir),
    ]);
    const testEnv = {
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
    return await runJest(jestArgs, { ...env, ...testEnv });
  } catch (error) {
    if (!(error instanceof PartError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    await stop();
  }
}

async function prepareModel(context: PartsContext): Promise<Record<string, string>> {
  const [llama, file] = [await locateLlama(context), await locateModelFile(context, 'default')];
  return { MODEL_FILE: file.path, CANDOR_TEST_LLAMA_DIR: llama.path };
}

function runJest(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const child = spawn(process.execPath, ['--experimental-vm-modules', '--no-warnings', jest, ...args], {
    cwd: root,
    env,
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
