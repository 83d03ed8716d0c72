/**
 * The library that runs the local model. A part and not a dependency, because who has a model server of their own never
 * needs its 80 MB; its lock file is checked in and pins every package by its integrity.
 */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand, toLastLine } from './client-command.ts';
import type { PartsContext } from './context.ts';
import { emptyStage, exists, fetchOnce, findFetched } from './fetched.ts';
import { sizeOfFolder } from './folder-size.ts';
import { llamaNatives, toSlimLock, type LockFile } from './llama-lock.ts';
import { locate, type Located, type Route } from './locate.ts';
import { findOnPath, isExecutable } from './on-path.ts';
import { createDiskFullError, PartError } from './part-error.ts';
import { createMeter } from './progress.ts';

const source = fileURLToPath(new URL('./llama/', import.meta.url));
export const llamaVersion = '3.21.1';
/** What the slim installation takes; it differs a little between platforms. */
const installedBytes = 78_000_000;
const variable = 'CANDOR_LLAMA_DIR';
const entry = join('node_modules', 'node-llama-cpp', 'package.json');

/** The result's `path` is the folder whose `node_modules` holds `node-llama-cpp`. Throws `PartError`. */
export async function locateLlama(context: PartsContext): Promise<Located> {
  const key = `llama-${llamaVersion}-${context.platform}`;
  const routes: readonly Route[] = [
    { source: 'environment', find: () => findGiven(context) },
    {
      source: 'cache',
      find: async () => {
        const path = await findFetched(context, key, entry);
        return path === undefined
          ? undefined
          : { path: join(context.cacheDir, key), why: `${llamaVersion}, fetched before` };
      },
    },
    {
      source: 'registry',
      find: async () => {
        const path = await fetchOnce(context, key, (stage) => buildByNpm(context, stage));
        return { path, why: `${llamaVersion}, from its npm packages, integrity checked` };
      },
    },
  ];
  return await locate(
    'model library',
    routes,
    'check the network, or set OPENAI_BASE_URL to a running server',
    context,
  );
}

async function findGiven(context: PartsContext): ReturnType<Route['find']> {
  const path = context.env[variable];
  if (path === undefined || path === '') return undefined;
  if (await exists(join(path, entry))) return { path, why: `given by ${variable}` };
  throw new PartError(
    'asked',
    `unable to use the model library; ${variable} names ${path}, which holds no node_modules/node-llama-cpp; correct the path or unset it`,
  );
}

async function buildByNpm(context: PartsContext, stage: string): Promise<void> {
  const { env, platform, report, signal } = context;
  const name = `model library ${llamaVersion}`;
  const beside = join(dirname(process.execPath), 'npm');
  const npm = (await findOnPath('npm', env)) ?? ((await isExecutable(beside)) ? beside : undefined);
  if (npm === undefined)
    throw new PartError('missing_tool', `unable to fetch the ${name}; npm is not on PATH; install Node with npm`);
  await emptyStage(stage);
  await copyFile(join(source, 'package.json'), join(stage, 'package.json'));
  const lock = JSON.parse(await readFile(join(source, 'package-lock.json'), 'utf8')) as LockFile;
  await writeFile(join(stage, 'package-lock.json'), JSON.stringify(toSlimLock(lock, platform)));
  const meter = createMeter({ name, totalBytes: installedBytes, report });
  const watch = setInterval(() => {
    void sizeOfFolder(stage).then((bytes) => {
      meter.at(Math.min(bytes, installedBytes - 1));
    });
  }, 500);
  try {
    const { code, output } = await runCommand(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      env: withoutNpmSettings(env),
      cwd: stage,
      signal,
    });
    if (code !== 0) {
      if (/ENOSPC|no space left/i.test(output)) throw createDiskFullError(name, stage);
      if (/EINTEGRITY/.test(output))
        throw new PartError(
          'checksum',
          `unable to trust the ${name}; a package's integrity is not the pinned one; run "npm cache verify" and try again`,
        );
      throw new PartError(
        'fetch',
        `unable to fetch the ${name} by npm; ${toLastLine(output)}; check the network and npm's settings`,
      );
    }
  } finally {
    clearInterval(watch);
  }
  if (!(await exists(join(stage, 'node_modules', llamaNatives[platform])))) {
    throw new PartError(
      'fetch',
      `unable to fetch the ${name}; npm brought no ${llamaNatives[platform]}; check npm's settings for optional packages and libc`,
    );
  }
  meter.at(installedBytes);
}

/** `npm start` gives its own folder and options to its children; npm here must use neither. */
function withoutNpmSettings(env: PartsContext['env']): PartsContext['env'] {
  const isOwn = (name: string): boolean =>
    /^npm_(package|lifecycle|command|execpath|node_execpath|config_local_prefix|config_prefix|config_omit|config_include|config_global)/.test(
      name,
    ) ||
    name === 'INIT_CWD' ||
    name === 'NODE_ENV';
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isOwn(name)));
}
