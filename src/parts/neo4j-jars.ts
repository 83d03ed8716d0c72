/**
 * The Java archives of Neo4j Community. Maven brings them from its registry; each one's SHA-256 is pinned in
 * `neo4j/jars.sha256`, and what is not listed there is dropped. Without Maven the vendor's archive is downloaded.
 */
import { copyFile, mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { neo4j } from './catalogue.ts';
import { runCommand } from './client-command.ts';
import type { Env, PartsContext } from './context.ts';
import { emptyStage, exists, fetchOnce, findFetched } from './fetched.ts';
import { hashFile } from './file-hash.ts';
import { sizeOfFolder } from './folder-size.ts';
import { locate, type Located, type Route } from './locate.ts';
import { fetchOfficial, readManifest } from './official-archive.ts';
import { findOnPath } from './on-path.ts';
import { createDiskFullError, PartError } from './part-error.ts';
import { createMeter } from './progress.ts';

const manifest = fileURLToPath(new URL('./neo4j/jars.sha256', import.meta.url));
const pom = fileURLToPath(new URL('./neo4j/pom.xml', import.meta.url));
const label = `${neo4j.name} ${neo4j.version}`;
const key = `${neo4j.id}-${neo4j.version}`;

/** The result's `path` is the folder of jars. `javaPath` runs Maven where no JAVA_HOME is set and PATH has no Java. */
export async function locateNeo4jJars(context: PartsContext, javaPath: string): Promise<Located> {
  const routes: readonly Route[] = [
    { source: 'environment', find: () => findGiven(context) },
    { source: 'path', find: () => findInstalled(context) },
    {
      source: 'cache',
      find: async () => {
        const path =
          (await findFetched(context, key, 'lib')) ??
          (await findFetched(context, `${key}-official`, neo4j.official.executable));
        return path === undefined ? undefined : { path, why: `${neo4j.version}, fetched before` };
      },
    },
    {
      source: 'registry',
      find: async () => {
        const folder = await fetchOnce(context, key, (stage) => buildByMaven(context, stage, javaPath));
        return {
          path: join(folder, 'lib'),
          why: `${neo4j.version}, from the Maven registry, every jar's SHA-256 checked`,
        };
      },
    },
    {
      source: 'official',
      find: async () => {
        const folder = await fetchOnce(context, `${key}-official`, (stage) =>
          fetchOfficial(context, label, neo4j.official, stage),
        );
        return {
          path: join(folder, neo4j.official.executable),
          why: `downloaded from ${new URL(neo4j.official.url).host}, checksum checked`,
        };
      },
    },
  ];
  return await locate(
    neo4j.name,
    routes,
    `install Maven (on Debian and Ubuntu: apt-get install maven), or set ${neo4j.variable} to an installed Neo4j 5.26, or NEO4J_URI to a running one`,
    context,
  );
}

async function findGiven(context: PartsContext): ReturnType<Route['find']> {
  const home = context.env[neo4j.variable];
  if (home === undefined || home === '') return undefined;
  const path = join(home, 'lib');
  if (await holdsServer(path)) return { path, why: `given by ${neo4j.variable}` };
  throw new PartError(
    'asked',
    `unable to use ${neo4j.name}; ${neo4j.variable} names ${home}, which holds no Neo4j 5.26 in its lib folder; correct the path or unset it`,
  );
}

async function findInstalled(context: PartsContext): ReturnType<Route['find']> {
  const script = await findOnPath('neo4j', context.env);
  if (script === undefined) return undefined;
  const path = join(dirname(dirname(await realpath(script))), 'lib');
  if (await holdsServer(path)) return { path, why: `the installed one, ${script} on PATH` };
  context.report({ kind: 'line', text: `${script} on PATH is not Neo4j 5.26; looking further` });
  return undefined;
}

async function holdsServer(lib: string): Promise<boolean> {
  return (await exists(lib)) && (await readdir(lib)).some((name) => /^neo4j-server-5\.26\..*\.jar$/.test(name));
}

async function buildByMaven(context: PartsContext, stage: string, javaPath: string): Promise<void> {
  const { env, signal, report } = context;
  const maven = await findOnPath('mvn', env);
  if (maven === undefined) throw new PartError('missing_tool', `unable to fetch ${label} by Maven; mvn is not on PATH`);
  // A repository of its own shows how much has come, survives an interruption in the stage, and leaves nothing behind.
  const repository = join(stage, 'repository');
  const all = join(stage, 'all');
  await mkdir(repository, { recursive: true });
  await copyFile(pom, join(stage, 'pom.xml'));
  const meter = createMeter({
    name: label,
    totalBytes: neo4j.bytes,
    startBytes: await sizeOfFolder(repository),
    report,
  });
  const watch = setInterval(() => {
    void sizeOfFolder(repository).then((bytes) => {
      meter.at(Math.min(bytes, neo4j.bytes - 1));
    });
  }, 500);
  try {
    const args = [
      '--batch-mode',
      '--quiet',
      '--no-transfer-progress',
      '--file',
      join(stage, 'pom.xml'),
      neo4j.copyPlugin,
      '-DincludeScope=runtime',
      `-Dmaven.repo.local=${repository}`,
      `-DoutputDirectory=${all}`,
    ];
    const { code, output } = await runCommand(maven, args, { env: await withJava(env, javaPath), cwd: stage, signal });
    if (code !== 0) {
      if (/no space left|disk quota/i.test(output)) throw createDiskFullError(label, stage);
      throw new PartError(
        'fetch',
        `unable to fetch ${label} by Maven; ${toMavenReason(output)}; check the network and Maven's settings`,
      );
    }
  } finally {
    clearInterval(watch);
  }
  await takePinned(all, join(stage, 'lib.checked'));
  await rename(join(stage, 'lib.checked'), join(stage, 'lib'));
  await rm(all, { recursive: true });
  await rm(repository, { recursive: true });
  meter.at(neo4j.bytes);
}

/** Where Debian keeps the machine's own certificate authorities for Java. */
const systemTrustStore = '/etc/ssl/certs/java/cacerts';

/** Maven's script looks for Java in the environment only; a fetched one does not know the machine's own authorities. */
async function withJava(env: Env, javaPath: string): Promise<Env> {
  if (env['JAVA_HOME'] !== undefined || (await findOnPath('java', env)) !== undefined) return env;
  const trust = (await exists(systemTrustStore)) ? ` -Djavax.net.ssl.trustStore=${systemTrustStore}` : '';
  return { ...env, JAVA_HOME: dirname(dirname(javaPath)), MAVEN_OPTS: `${env['MAVEN_OPTS'] ?? ''}${trust}` };
}

/** Moves the listed jars to `lib` when each is there with its hash. */
async function takePinned(all: string, lib: string): Promise<void> {
  await emptyStage(lib);
  for (const [name, sha256] of await readManifest(manifest)) {
    const path = join(all, name);
    if (!(await exists(path)))
      throw new PartError(
        'checksum',
        `unable to trust ${label}; Maven brought no ${name}; clear it from Maven's local repository and try again`,
      );
    const actual = await hashFile(path);
    if (actual !== sha256)
      throw new PartError(
        'checksum',
        `unable to trust ${label}; the SHA-256 of ${name} is ${actual}, not ${sha256}; delete it from Maven's local repository and try again`,
      );
    await rename(path, join(lib, name));
  }
}

function toMavenReason(output: string): string {
  return (output.split('\n').find((line) => line.includes('ERROR')) ?? 'it gave no reason').slice(0, 300);
}
