/**
 * The parts module: finds, fetches and runs the real servers, for `npm start` and `npm test` alike. Everything is given
 * `{cacheDir, platform, env, report}`; only the caller owns the terminal.
 */
import { basename } from 'node:path';
import type { PartsContext } from './context.ts';
import { locateJava } from './java.ts';
import { locateLlama } from './llama.ts';
import type { Located } from './locate.ts';
import { localModels, type LocalModelSize } from './model-catalogue.ts';
import { locateModelFile } from './model-file.ts';
import { locateNeo4jJars } from './neo4j-jars.ts';
import { locateTemporalCli, locateTemporalTestServer } from './temporal-parts.ts';

export { toCacheDir, type Env, type PartsContext } from './context.ts';
export { toPlatform, type Platform } from './platform.ts';
export { PartError, type PartErrorKind } from './part-error.ts';
export { createProgressRenderer, formatProgress, type PartsEvent, type Progress, type Report } from './progress.ts';
export { locateTemporalCli, locateTemporalTestServer } from './temporal-parts.ts';
export { locateJava } from './java.ts';
export { locateNeo4jJars } from './neo4j-jars.ts';
export type { Located, Source } from './locate.ts';
export { createSupervisor, type Child, type Supervisor } from './processes.ts';
export { readStartTime } from './process-identity.ts';
export { choosePort, findFree, type PortChoice, type PortWish } from './ports.ts';
export { startTemporal, type RunningTemporal, type TemporalOptions } from './temporal-server.ts';
export { startNeo4j, type Neo4jOptions, type RunningNeo4j } from './neo4j-server.ts';
export { hasModelFile, locateModelFile } from './model-file.ts';
export { localModels, type LocalModel, type LocalModelSize } from './model-catalogue.ts';
export { locateLlama } from './llama.ts';
export { startModelServer, type ModelServerOptions, type RunningModelServer } from './model-process.ts';
export { checkRoom, type Plan } from './room.ts';
export { checkDisk, checkMemory, type Need } from './preflight.ts';
export { detectBackend, readChatModels, type DetectedBackend } from './detect-backend.ts';

/** What Neo4j needs to be started. */
export interface Neo4jParts {
  readonly java: Located;
  readonly jars: Located;
}

/** Finds or fetches Java and Neo4j. Throws `PartError`. */
export async function prepareNeo4j(context: PartsContext): Promise<Neo4jParts> {
  const java = await locateJava(context);
  return { java, jars: await locateNeo4jJars(context, java.path) };
}

/** What a model server needs to be started. */
export interface ModelParts {
  readonly llama: Located;
  readonly file: Located;
  /** The name under which it is offered. */
  readonly alias: string;
}

/** Finds or fetches the model and the library that runs it. Throws `PartError`. */
export async function prepareModel(context: PartsContext, size: LocalModelSize): Promise<ModelParts> {
  const llama = await locateLlama(context);
  const file = await locateModelFile(context, size);
  const own = basename(file.path).replace(/\.gguf$/i, '');
  return { llama, file, alias: file.source === 'environment' ? own : localModels[size].alias };
}

export interface TestParts {
  readonly temporalCli: Located;
  readonly temporalTestServer: Located;
  readonly neo4j: Neo4jParts;
}

/** What the tests need, without a model. Throws `PartError`. */
export async function prepareTestParts(context: PartsContext): Promise<TestParts> {
  return {
    temporalCli: await locateTemporalCli(context),
    temporalTestServer: await locateTemporalTestServer(context),
    neo4j: await prepareNeo4j(context),
  };
}
