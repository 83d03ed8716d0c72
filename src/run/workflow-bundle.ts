// The workflows, bundled for the sandbox. Made anew when a source changed, read back when none did: bundling takes
// seconds that a second start does not have to spend.

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  type BundleOptions,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';

const srcDir = fileURLToPath(new URL('..', import.meta.url));
const workflowsPath = join(srcDir, 'workflows', 'index.ts');

/** @param cacheDir where bundles are kept; `null`: nowhere */
export async function loadWorkflowBundle(cacheDir: string | null): Promise<WorkflowBundleWithSourceMap> {
  if (cacheDir === null) return bundle();
  const file = join(cacheDir, `${await hashSources()}.js`);
  try {
    return { code: await readFile(file, 'utf8'), sourceMap: '' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = await bundle();
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, made.code);
  await rename(draft, file);
  return made;
}

/** The bundler's own progress is of no use to whoever starts a chat. */
const bundle = (): Promise<WorkflowBundleWithSourceMap> =>
  bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN'), webpackConfigHook: withInstalledSources });

type WebpackConfig = Parameters<NonNullable<BundleOptions['webpackConfigHook']>>[0];

/** The bundler compiles no TypeScript among installed packages; where Candor is one, its workflows lie there. */
function withInstalledSources(config: WebpackConfig): WebpackConfig {
  for (const rule of config.module?.rules ?? []) {
    if (typeof rule === 'object' && rule !== null) delete rule.exclude;
  }
  return config;
}

/** Everything that can change the bundle: the sandbox's sources and the SDK. */
async function hashSources(): Promise<string> {
  const hash = createHash('sha256');
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as { version: string };
  hash.update(version);
  for (const folder of ['workflows', 'protocol']) {
    const names = (await readdir(join(srcDir, folder))).filter((name) => name.endsWith('.ts')).sort();
    for (const name of names) hash.update(name).update(await readFile(join(srcDir, folder, name)));
  }
  return hash.digest('hex').slice(0, 32);
}
