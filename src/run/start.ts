// `candor start`: everything on one machine by one command. The page opens as soon as engine, store and gateway answer;
// the model comes behind it. Whatever was started is stopped again, also when the start fails half-way.

import { join } from 'node:path';
import type { Config } from '../config.ts';
import {
  checkRoom,
  choosePort,
  createProgressRenderer,
  createSupervisor,
  findFree,
  locateTemporalCli,
  prepareNeo4j,
  startNeo4j,
  startTemporal,
  toCacheDir,
  toPlatform,
  type PartsContext,
  type Supervisor,
} from '../parts/index.ts';
import { loadKnowledge } from '../knowledge/load-knowledge.ts';
import type { ModelReadiness } from '../protocol/ports.ts';
import { searchAttributes } from '../protocol/turn.ts';
import { createAuth } from './auth.ts';
import { chooseModel, type ModelChoice } from './backend.ts';
import { runCandor, type Backend, type RunningCandor } from './candor.ts';
import { lockDataFolder, removeRunning, writeRunning } from './data-folder.ts';
import { runLocalModel, type LocalModelRun } from './local-model.ts';
import { openLiveLane } from './live-lane.ts';
import { createLog, installRuntime } from './log.ts';
import { ensurePage } from './page.ts';
import { loadReceiptSigner } from './receipt-signer.ts';
import { StartError } from './start-error.ts';
import { toTiers } from './tiers.ts';
import { loadWorkflowBundle } from './workflow-bundle.ts';

export interface StartOptions {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  /** `--model` as given. */
  readonly model: string | null;
  readonly say: (line: string) => void;
  /** Ends the run. */
  readonly signal: AbortSignal;
}

const host = '127.0.0.1';
/** A person waits at the terminal, and nobody takes over here: the next start does. */
const drainMs = 2_000;

/** Runs until the signal; resolves when everything is stopped. @throws StartError, PartError, ConfigError */
export async function start(options: StartOptions): Promise<void> {
  const { config, env, say, signal } = options;
  const began = Date.now();
  const dataDir = config.paths.data;
  const auth = await createAuth(config);
  const signer = await loadReceiptSigner(config);
  const platform = toPlatform(process.platform, process.arch);
  const choice = await chooseModel(config, options.model);
  // What is being fetched or built ends with the run, also with one that failed.
  const ending = new AbortController();
  const ended = AbortSignal.any([signal, ending.signal]);
  const context: PartsContext = {
    cacheDir: config.paths.cache ?? toCacheDir(env, platform),
    platform,
    env,
    report: createProgressRenderer(process.stderr),
    signal: ended,
  };
  await checkRoom(context, {
    dataDir,
    temporal: config.temporal.address === null,
    neo4j: config.neo4j.uri === null,
    model: choice.kind === 'local' ? choice.size : null,
  });
  const unlock = await lockDataFolder(dataDir);
  const supervisor = createSupervisor({ dataDir });
  let candor: RunningCandor | null = null;
  try {
    const leftovers = await supervisor.endLeftovers();
    if (leftovers.length > 0) say(`ended what an earlier start left running: ${leftovers.join(', ')}`);
    const log = createLog(config.log.level, join(dataDir, 'logs', 'candor.log'));
    installRuntime(log);
    say(choice.why);

    const port = createPorts(say);
    const gatewayPort = await port('the page', 3000, 'PORT', config.gateway.port, config.gateway.host);
    const [temporal, neo4j, bundle, webDir] = await Promise.all([
      findTemporal(options, context, supervisor, port),
      findNeo4j(options, context, supervisor, port),
      loadWorkflowBundle(join(dataDir, 'bundles')),
      ensurePage(ended),
    ]);
    signal.throwIfAborted();

    const modelPort = choice.kind === 'local' ? await port('the model', 8081, 'MODEL_PORT', config.model.port) : 0;
    const backend = toBackend(choice, modelPort);
    const local =
      choice.kind === 'local'
        ? runLocalModel({ context, supervisor, size: choice.size, alias: choice.alias, port: modelPort, say })
        : null;
    const state = toModelState(choice, local);
    candor = await runCandor({
      temporal: { ...temporal.server, taskQueue: config.temporal.taskQueue },
      neo4j: neo4j.server,
      agentsDir: config.paths.agents,
      log,
      worker: {
        bundle,
        backend,
        auditor: toAuditor(config, backend),
        readiness: state.readiness,
        tiers: toTiers(config),
        signer,
        lineHost: config.worker.lineHost,
        drainMs,
      },
      gateway: {
        ...auth,
        host: config.gateway.host,
        port: gatewayPort,
        defaultModel: backend.model,
        modelStatus: state.status,
        webDir,
        log,
      },
      // Last: from here on it is closed by whoever it is given to.
      lane: await openLiveLane({ redisUrl: config.live.redisUrl, namespace: temporal.server.namespace, say, log }),
    });
    if ((await candor.graph.countDocuments()) === 0) await loadKnowledge(config.paths.knowledge, candor.graph, say);

    const { url } = candor;
    say('');
    say(`  Candor       ${auth.signIn === null ? url : `${url}/#code=${auth.signIn.issue()}`}`);
    say(`  Temporal UI  ${temporal.server.uiUrl ?? `none at ${temporal.server.address}`}`);
    say(`  up in ${((Date.now() - began) / 1000).toFixed(1)} s; Ctrl-C stops everything`);
    say('');
    const announced = (local?.ready ?? Promise.resolve()).then(
      async () => {
        if (ended.aborted || url === null) return;
        if (local !== null)
          say(`model: ${backend.model} answers (after ${((Date.now() - began) / 1000).toFixed(1)} s)`);
        await writeRunning(dataDir, {
          pid: process.pid,
          url,
          temporal: {
            address: temporal.server.address,
            ui: temporal.server.uiUrl,
            namespace: temporal.server.namespace,
          },
          neo4j: neo4j.server,
          model: {
            baseUrl: choice.kind === 'none' ? null : backend.baseUrl,
            model: backend.model,
            state: state.status().state,
          },
          startedAt: new Date(began).toISOString(),
        });
        // The stop may have removed it while it was being written.
        if (ended.aborted) await removeRunning(dataDir);
      },
      // Swallowed: the model's failure was said where it happened, and every turn says it.
      () => undefined,
    );
    await Promise.race([candor.failed, temporal.lost, neo4j.lost, announced.then(() => never), aborted(signal)]);
  } catch (error) {
    // What failed because everything is being stopped is no failure.
    if (!signal.aborted) throw error;
  } finally {
    ending.abort();
    await removeRunning(dataDir);
    await candor?.close();
    await supervisor.stopAll();
    await unlock();
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
  );

type PortOf = (name: string, usual: number, variable: string, asked: number | null, on?: string) => Promise<number>;

/** Ports for servers that are started side by side: chosen one after the other, and none of them twice. */
function createPorts(say: (line: string) => void): PortOf {
  const taken = new Set<number>();
  const choose = async (...[name, usual, variable, asked, on = host]: Parameters<PortOf>): Promise<number> => {
    const wish = { name, host: on, usual, variable, asked: asked?.toString(), taken };
    const { port, note } = asked === 0 ? { port: await findFree(on), note: undefined } : await choosePort(wish);
    if (note !== undefined) say(note);
    taken.add(port);
    return port;
  };
  let line: Promise<unknown> = Promise.resolve();
  return (...wish) => {
    const chosen = line.then(() => choose(...wish));
    // Swallowed: whoever asked for the port hears of it; the next one in line must still be served.
    line = chosen.catch(() => undefined);
    return chosen;
  };
}

const never = new Promise<never>(() => undefined);

async function lost(name: string, exited: Promise<unknown>, logFile: string, signal: AbortSignal): Promise<never> {
  await exited;
  if (signal.aborted) return never;
  throw new StartError(`${name} ended by itself; see ${logFile}`);
}

/** The Temporal of the configuration, else a development server with its UI. */
async function findTemporal(
  { config, env, say, signal }: StartOptions,
  context: PartsContext,
  supervisor: Supervisor,
  port: PortOf,
) {
  const { address, namespace, uiUrl } = config.temporal;
  if (address !== null) {
    say(`Temporal: ${address}; TEMPORAL_ADDRESS is set`);
    return { server: { address, namespace, uiUrl }, lost: never };
  }
  const cli = await locateTemporalCli(context);
  say(`${cli.why}; runs as development server`);
  const server = await startTemporal({
    supervisor,
    executable: cli.path,
    env,
    dbFile: join(config.paths.data, 'temporal.db'),
    ip: host,
    port: await port('Temporal', 7233, 'TEMPORAL_PORT', config.temporal.port),
    uiPort: await port('Temporal UI', 8233, 'TEMPORAL_UI_PORT', config.temporal.uiPort),
    namespace,
    searchAttributes,
  });
  const { logFile, exited } = server;
  const gone = lost('Temporal', exited, logFile, signal);
  // Swallowed: the race at the end of the start hears of it; an earlier failure must not be hidden by a second one.
  gone.catch(() => undefined);
  return { server: { address: server.address, namespace, uiUrl: server.uiUrl }, lost: gone };
}

/** The Neo4j of the configuration, else one of our own. */
async function findNeo4j(
  { config, env, say, signal }: StartOptions,
  context: PartsContext,
  supervisor: Supervisor,
  port: PortOf,
) {
  const { uri, user, password } = config.neo4j;
  if (uri !== null) {
    if (password === null) throw new StartError('unable to use NEO4J_URI; NEO4J_PASSWORD is not set');
    say(`Neo4j: ${uri}; NEO4J_URI is set`);
    return { server: { uri, user, password }, lost: never };
  }
  const { java, jars } = await prepareNeo4j(context);
  say(java.why);
  say(jars.why);
  const server = await startNeo4j({
    supervisor,
    java: java.path,
    libDir: jars.path,
    env,
    home: join(config.paths.data, 'neo4j'),
    host,
    boltPort: await port('Neo4j', 7687, 'NEO4J_PORT', config.neo4j.port),
  });
  const gone = lost('Neo4j', server.exited, server.logFile, signal);
  // Swallowed: the race at the end of the start hears of it; an earlier failure must not be hidden by a second one.
  gone.catch(() => undefined);
  return { server: { uri: server.uri, user: server.user, password: server.password }, lost: gone };
}

function toBackend(choice: ModelChoice, modelPort: number): Backend {
  if (choice.kind === 'remote') return choice.backend;
  const model = choice.kind === 'local' ? choice.alias : 'none';
  return { baseUrl: `http://${host}:${modelPort === 0 ? 9 : modelPort}/v1`, apiKey: null, model };
}

function toAuditor({ audit }: Config, backend: Backend): Backend {
  const { baseUrl, apiKey, name } = audit;
  if (baseUrl === null) return { ...backend, model: name ?? backend.model };
  return { baseUrl, apiKey, model: name ?? backend.model };
}

function toModelState(choice: ModelChoice, local: LocalModelRun | null): Pick<LocalModelRun, 'status' | 'readiness'> {
  if (local !== null) return local;
  if (choice.kind === 'remote') {
    const { model } = choice.backend;
    return { status: () => ({ state: 'ready', name: model }), readiness: () => null };
  }
  const reason = 'no model is configured: start without --model none, or set OPENAI_BASE_URL';
  const readiness: ModelReadiness = () => ({ state: 'failed', reason });
  return { status: () => ({ state: 'none', name: 'none', detail: reason }), readiness };
}
