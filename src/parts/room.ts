/** What a start will need on the disk and in memory, from what is not fetched yet: asked before the first byte. */
import { java, neo4j, temporalCli, type PackagedPart } from './catalogue.ts';
import type { PartsContext } from './context.ts';
import { findFetched } from './fetched.ts';
import { hasModelFile } from './model-file.ts';
import { localModels, type LocalModelSize } from './model-catalogue.ts';
import { findOnPath } from './on-path.ts';
import { toCacheKey } from './packaged-part.ts';
import { checkDisk, checkMemory } from './preflight.ts';

/** Which parts this start runs itself; `model` is `null` for a server of somebody else's, or none. */
export interface Plan {
  readonly dataDir: string;
  readonly temporal: boolean;
  readonly neo4j: boolean;
  readonly model: LocalModelSize | null;
}

const megabyte = 1_000_000;
/** Data of the servers to begin with. */
const dataBytes = 300 * megabyte;
/** Measured resident memory: gateway and worker, Temporal, Neo4j. */
const memoryBytes = { own: 300 * megabyte, temporal: 200 * megabyte, neo4j: 500 * megabyte };

/** Throws `PartError` `disk_full` or `memory`. */
export async function checkRoom(context: PartsContext, plan: Plan): Promise<void> {
  const needed = await measureMissing(context, plan);
  await checkDisk({ folder: context.cacheDir, bytes: needed, what: 'the parts', variable: 'CANDOR_CACHE_DIR' });
  await checkDisk({
    folder: plan.dataDir,
    bytes: dataBytes,
    what: 'what the servers keep',
    variable: 'CANDOR_DATA_DIR',
  });
  const model = plan.model === null ? 0 : localModels[plan.model].memoryBytes;
  const servers = (plan.temporal ? memoryBytes.temporal : 0) + (plan.neo4j ? memoryBytes.neo4j : 0);
  checkMemory(memoryBytes.own + servers + model, toMemoryAdvice(plan.model));
}

/** Bytes that fetching takes at its peak; what lies on PATH or in the cache takes none. */
export async function measureMissing(context: PartsContext, plan: Plan): Promise<number> {
  const temporal = plan.temporal && !(await isThere(context, temporalCli, 'temporal')) ? 250 * megabyte : 0;
  const runtime = plan.neo4j && !(await isThere(context, java, 'java')) ? 150 * megabyte : 0;
  const graph =
    plan.neo4j && (await findFetched(context, `${neo4j.id}-${neo4j.version}`, 'lib')) === undefined
      ? 280 * megabyte
      : 0;
  const model =
    plan.model !== null && !(await hasModelFile(context, plan.model))
      ? localModels[plan.model].bytes + 300 * megabyte
      : 0;
  return temporal + runtime + graph + model;
}

async function isThere(context: PartsContext, part: PackagedPart, program: string): Promise<boolean> {
  const { executable } = part.builds[context.platform];
  if ((await findFetched(context, toCacheKey(part, context), executable)) !== undefined) return true;
  const given = context.env[part.variable];
  return (given !== undefined && given !== '') || (await findOnPath(program, context.env)) !== undefined;
}

function toMemoryAdvice(model: LocalModelSize | null): string {
  if (model === 'default') return 'end other programs, or start with --model small or --model none';
  if (model === 'small') return 'end other programs, or start with --model none';
  return 'end other programs, or name running servers by TEMPORAL_ADDRESS and NEO4J_URI';
}
