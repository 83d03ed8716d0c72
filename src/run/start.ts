// `candor start`: everything on one machine by one command. The page opens as soon as engine, store and gateway answer;
// the model comes behind it. Whatever was started is stopped again, also when the start fails half-way.

import { join } from 'node:path';
import type { Config } from '../config.ts';
import {
  checkRoom,
  choosePort,
  createProgressRenderer,
  createSupervisor,
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
import { createLog, installRuntime } from './log.ts';
import { ensurePage } from './page.ts';
import { StartError } from './search-attributes.ts';
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

/** Runs until the signal; resolves when everything is stopped. @throws StartError, PartError, ConfigError */
export async function start(options: StartOptions): Promise<void> {
  const { config, env, say, signal } = options;
  const began = Date.now();
  const dataDir = config.paths.data;
  const auth = await createAuth(config);
  const platform = toPlatform(process.platform, process.arch);
  const choice = await chooseModel(config, options.model);
  const context: PartsContext = {
    cacheDir: config.paths.cache ?? toCacheDir(env, platform),
    platform,
    env,
    report: createProgressRenderer(process.stderr),
    signal,
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

    const taken = new Set<number>();
    const port = async (name: string, usual: number, variable: string, asked: number | null): Promise<number> => {
      const chosen = await choosePort({ name, host, usual, variable, asked: asked?.toString(), taken });
      if (chosen.note !== undefined) say(chosen.note);
      taken.add(chosen.port);
      return chosen.port;
    };
    const gatewayPort = await port('the page', 3000, 'PORT', config.gateway.port);
    const [temporal, neo4j, bundle, webDir] = await Promise.all([
      findTemporal(options, context, supervisor, port),
      findNeo4j(options, context, supervisor, port),
      loadWorkflowBundle(join(dataDir, 'bundles')),
      ensurePage(),
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
      temporal: { ...temporal, taskQueue: config.temporal.taskQueue },
      neo4j,
      agentsDir: config.paths.agents,
      worker: { bundle, backend, auditor: toAuditor(config, backend), readiness: state.readiness },
      gateway: {
        ...auth,
        host: config.gateway.host,
        port: gatewayPort,
        defaultModel: backend.model,
        modelStatus: state.status,
        webDir,
        log,
      },
    });
    if ((await candor.graph.countDocuments()) === 0) await loadKnowledge(config.paths.knowledge, candor.graph, say);

    const { url } = candor;
    say('');
    say(`  Candor       ${auth.signIn === null ? url : `${url}/#code=${auth.signIn.issue()}`}`);
    say(`  Temporal UI  ${temporal.uiUrl ?? `none at ${temporal.address}`}`);
    say(`  up in ${((Date.now() - began) / 1000).toFixed(1)} s; Ctrl-C stops everything`);
    say('');
    void (local?.ready ?? Promise.resolve()).then(
      async () => {
        if (signal.aborted || url === null) return;
        if (local !== null)
          say(`model: ${backend.model} answers (after ${((Date.now() - began) / 1000).toFixed(1)} s)`);
        await writeRunning(dataDir, {
          pid: process.pid,
          url,
          temporal: { address: temporal.address, ui: temporal.uiUrl, namespace: temporal.namespace },
          neo4j,
          model: {
            baseUrl: choice.kind === 'none' ? null : backend.baseUrl,
            model: backend.model,
            state: state.status().state,
          },
          startedAt: new Date(began).toISOString(),
        });
      },
      // Swallowed: the model's failure was said where it happened, and every turn says it.
      () => undefined,
    );
    await Promise.race([candor.failed, temporal.lost, neo4j.lost, aborted(signal)]);
  } catch (error) {
    // What failed because everything is being stopped is no failure.
    if (!signal.aborted) throw error;
  } finally {
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

type PortOf = (name: string, usual: number, variable: string, asked: number | null) => Promise<number>;
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
    return { address, namespace, uiUrl, lost: never };
  }
  const cli = await locateTemporalCli(context);
  say(`Temporal: development server; ${cli.why}`);
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
  return { address: server.address, namespace, uiUrl: server.uiUrl, lost: gone };
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
    return { uri, user, password, lost: never };
  }
  const { java, jars } = await prepareNeo4j(context);
  say(`Neo4j: own server; ${jars.why}; Java ${java.why}`);
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
  return { uri: server.uri, user: server.user, password: server.password, lost: gone };
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
