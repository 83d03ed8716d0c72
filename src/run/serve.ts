// `candor worker` and `candor gateway`: one role a process, against servers that are there already.

import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { chooseModel } from './backend.ts';
import { runCandor, type CandorOptions, type RunningCandor } from './candor.ts';
import { openLiveLane } from './live-lane.ts';
import { createLog, installRuntime } from './log.ts';
import { loadReceiptSigner } from './receipt-signer.ts';
import { StartError } from './start-error.ts';
import { toTiers } from './tiers.ts';
import { loadWorkflowBundle } from './workflow-bundle.ts';

export interface ServeOptions {
  readonly config: Config;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Runs until the signal. @throws StartError */
export async function serve(role: 'worker' | 'gateway', { config, say, signal }: ServeOptions): Promise<void> {
  const { address, namespace, taskQueue, uiUrl } = config.temporal;
  const { uri, user, password } = config.neo4j;
  if (address === null) throw new StartError(`unable to run a ${role}; TEMPORAL_ADDRESS is not set`);
  if (uri === null || password === null)
    throw new StartError(`unable to run a ${role}; NEO4J_URI and NEO4J_PASSWORD are not set`);
  const choice = await chooseModel(config, null);
  if (choice.kind !== 'remote') throw new StartError(`unable to run a ${role}; OPENAI_BASE_URL is not set`);
  const log = createLog(config.log.level, null);
  installRuntime(log);
  say(choice.why);
  const { backend } = choice;
  const auditor =
    config.audit.baseUrl === null
      ? backend
      : { baseUrl: config.audit.baseUrl, apiKey: config.audit.apiKey, model: backend.model };
  const worker = async (): Promise<CandorOptions['worker']> => ({
    bundle: await loadWorkflowBundle(join(config.paths.data, 'bundles')),
    backend,
    auditor: { ...auditor, model: config.audit.name ?? auditor.model },
    readiness: () => null,
    tiers: toTiers(config),
    signer: await loadReceiptSigner(config),
    lineHost: config.worker.lineHost,
    drainMs: config.worker.drainSeconds * 1_000,
  });
  const gateway = async (): Promise<CandorOptions['gateway']> => {
    const [{ createAuth }, { ensurePage }] = await Promise.all([import('./auth.ts'), import('./page.ts')]);
    return {
      ...(await createAuth(config)),
      host: config.gateway.host,
      port: config.gateway.port ?? 3000,
      defaultModel: backend.model,
      modelStatus: () => ({ state: 'ready', name: backend.model }),
      webDir: await ensurePage(),
      log,
    };
  };
  const candor = await runCandor({
    temporal: { address, namespace, taskQueue, uiUrl },
    neo4j: { uri, user, password },
    agentsDir: config.paths.agents,
    log,
    worker: role === 'worker' ? await worker() : null,
    gateway: role === 'gateway' ? await gateway() : null,
    // Last: from here on it is closed by whoever it is given to.
    lane: await openLiveLane({ redisUrl: config.live.redisUrl, namespace, say, log }),
  });
  const stopHealth = role === 'worker' ? serveHealth(config.worker.healthPort, candor) : () => undefined;
  try {
    say(role === 'worker' ? `worker polls ${taskQueue} at ${address}` : `gateway listens at ${candor.url}`);
    await Promise.race([
      candor.failed,
      new Promise<void>((resolve) =>
        signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
      ),
    ]);
  } finally {
    stopHealth();
    await candor.close();
  }
}

/** A worker has no port of its own; orchestrators want one to ask, and so does whoever collects its figures. */
function serveHealth(port: number | null, candor: Pick<RunningCandor, 'metrics'>): () => void {
  if (port === null) return () => undefined;
  const server = createServer((request, response) => {
    if (request.url === '/metrics') {
      void candor
        .metrics()
        .then(({ contentType, text }) => response.writeHead(200, { 'content-type': contentType }).end(text));
      return;
    }
    const known = request.url === '/healthz';
    response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' }).end(known ? '{"status":"ok"}' : '{}');
  }).listen(port, '127.0.0.1');
  return () => void server.close();
}
