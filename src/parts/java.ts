/** A Java runtime for Neo4j: 17 or newer from the environment or PATH, else a packaged one. */
import { join } from 'node:path';
import { java } from './catalogue.ts';
import { runCommand } from './client-command.ts';
import type { PartsContext } from './context.ts';
import type { Located, Route } from './locate.ts';
import { findOnPath, isExecutable } from './on-path.ts';
import { locatePackaged } from './packaged-part.ts';

const leastJava = 17;

export async function locateJava(context: PartsContext): Promise<Located> {
  return await locatePackaged(context, java, () => findJava(context));
}

async function findJava(context: PartsContext): ReturnType<Route['find']> {
  const home = context.env['JAVA_HOME'];
  const ofHome = home === undefined || home === '' ? undefined : join(home, 'bin', 'java');
  const onPath = await findOnPath('java', context.env);
  for (const path of [ofHome, onPath]) {
    if (path === undefined || !(await isExecutable(path))) continue;
    // macOS has a stub named java that only asks to install one: it prints no version and ends with an error.
    const { output } = await runCommand(path, ['-version'], {
      env: context.env,
      signal: context.signal,
      timeoutMs: 20_000,
    });
    const version = parseJavaVersion(output);
    if (version >= leastJava) return { path, why: `${version}, ${path}` };
    context.report({
      kind: 'line',
      text: `${path} is Java ${version === 0 ? 'of an unknown version' : version}; Neo4j needs ${leastJava} or newer; looking further`,
    });
  }
  return undefined;
}

/** The major version that `java -version` prints, 0 for anything else. `1.8.0` is 8. */
export function parseJavaVersion(output: string): number {
  const match = /version "(\d+)(?:\.(\d+))?/.exec(output);
  if (match === null) return 0;
  return Number(match[1] === '1' ? match[2] : match[1]);
}
