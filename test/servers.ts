// The real servers of a run, for tests and benchmarks alike: those of the kit, started once, told to every process by
// its environment, stopped at the end. Each test has conversations, users and task queues of its own, so nobody has to
// clean up after anybody.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  createProgressRenderer,
  locateLlama,
  locateModelFile,
  PartError,
  type PartsContext,
} from '../src/parts/index.ts';
import { openServers } from '../testing/servers/test-servers.ts';
import { toVariables } from '../testing/servers/variables.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs Node on the arguments with the servers' addresses in its environment. Resolves with the exit code. */
export const runWithServers = (nodeArgs: readonly string[]): Promise<number> =>
  withServers((env) => runNode(nodeArgs, env));

/**
 * Starts the servers, hands on an environment with their addresses, and stops everything when what ran is over, or when
 * this process is told to. Resolves with the exit code; 1 with one sentence when a server cannot be had.
 */
export async function withServers(run: (env: NodeJS.ProcessEnv) => Promise<number>): Promise<number> {
  const { env } = process;
  const opened = openServers({ env, report: createProgressRenderer(process.stderr) });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void opened.stop().finally(() => process.exit(130)));
  }
  try {
    const servers = await opened.started;
    const model = env['CANDOR_TEST_MODEL'] === '1' ? await prepareModel(servers.context) : {};
    return await run({
      ...env,
      ...toVariables(servers),
      CANDOR_TEST_TEMPORAL_CLI: servers.temporalCli,
      CANDOR_TEST_TEMPORAL_PID: `${servers.temporalPid}`,
      CANDOR_TEST_CACHE_DIR: servers.context.cacheDir,
      ...model,
    });
  } catch (error) {
    if (!(error instanceof PartError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    await opened.stop();
  }
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
