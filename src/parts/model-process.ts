/**
 * Runs the local model server as a child. It answers `/health` at once and `/v1` when the model is loaded, so that the
 * page can say how far it is.
 */
import { fileURLToPath } from 'node:url';
import type { Env } from './context.ts';
import { PartError } from './part-error.ts';
import type { Child, Supervisor } from './processes.ts';
import { stopOnFailure, waitUntilReady } from './readiness.ts';
import { isNetworkFailure, readName } from './thrown.ts';

export interface ModelServerOptions {
  readonly supervisor: Supervisor;
  readonly modelFile: string;
  /** The folder whose `node_modules` holds the model library. */
  readonly llamaDir: string;
  readonly port: number;
  readonly alias: string;
  readonly env: Env;
  /** For loading; the file is read from disk once. Default 5 minutes. */
  readonly timeoutMs?: number;
}

export interface RunningModelServer {
  readonly baseUrl: string;
  readonly model: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the model answers; rejects with a `PartError` when it cannot be loaded or the server ends before. */
  readonly ready: Promise<void>;
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

interface Health {
  readonly status: 'loading' | 'ready' | 'failed';
  readonly error?: string;
}

/** Resolves when `/health` answers. Throws `PartError`. */
export async function startModelServer(options: ModelServerOptions): Promise<RunningModelServer> {
  const { supervisor, modelFile, llamaDir, port, alias, env, timeoutMs = 300_000 } = options;
  const main = fileURLToPath(new URL('./model-server/main.ts', import.meta.url));
  const child = await supervisor.start({
    name: 'model-server',
    command: process.execPath,
    args: [
      '--import',
      'tsx',
      main,
      '--model',
      modelFile,
      '--port',
      String(port),
      '--alias',
      alias,
      '--llama',
      llamaDir,
    ],
    env,
    // Where `tsx` is found.
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    graceMs: 3_000,
  });
  const healthUrl = `http://127.0.0.1:${port}/health`;
  return await stopOnFailure(child, async () => {
    await waitUntilReady(child, async () => (await readHealth(healthUrl)) !== undefined, { timeoutMs: 60_000 });
    const ready = waitUntilLoaded(child, healthUrl, timeoutMs);
    // Swallowed: whoever waits for it sees the rejection; who never does must not be ended by it.
    ready.catch(() => undefined);
    return {
      baseUrl: `http://127.0.0.1:${port}/v1`,
      model: alias,
      pid: child.pid,
      logFile: child.logFile,
      ready,
      exited: child.exited,
      stop: () => child.stop(),
    };
  });
}

async function waitUntilLoaded(child: Child, healthUrl: string, timeoutMs: number): Promise<void> {
  await waitUntilReady(
    child,
    async () => {
      const health = await readHealth(healthUrl);
      if (health?.status === 'failed') {
        throw new PartError(
          'exited',
          `unable to load the model; ${health.error ?? 'its server gave no reason'}; see ${child.logFile}`,
        );
      }
      return health?.status === 'ready';
    },
    { timeoutMs, everyMs: 250 },
  );
}

/** `undefined` while nothing answers. A server that is not ready may say so with 503 and the same body. */
async function readHealth(url: string): Promise<Health | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    return (await response.json()) as Health;
  } catch (error) {
    // A body that is no JSON belongs to something else on that port.
    if (isNetworkFailure(error) || readName(error) === 'SyntaxError') return undefined;
    throw error;
  }
}
