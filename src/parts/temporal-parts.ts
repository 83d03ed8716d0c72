/** Temporal's executables: the CLI that holds the development server, and the time-skipping server of the tests. */
import { temporalCli, temporalTestServer } from './catalogue.ts';
import { runCommand } from './client-command.ts';
import type { PartsContext } from './context.ts';
import type { Located, Route } from './locate.ts';
import { findOnPath } from './on-path.ts';
import { locatePackaged } from './packaged-part.ts';

/** The first CLI whose server knows all that the workflows use. */
const leastCli = [1, 5] as const;

export async function locateTemporalCli(context: PartsContext): Promise<Located> {
  return await locatePackaged(context, temporalCli, () => findCli(context));
}

export async function locateTemporalTestServer(context: PartsContext): Promise<Located> {
  return await locatePackaged(context, temporalTestServer, async () => {
    const path = await findOnPath('temporal-test-server', context.env);
    return path === undefined ? undefined : { path, why: `${path} on PATH` };
  });
}

async function findCli(context: PartsContext): ReturnType<Route['find']> {
  const path = await findOnPath('temporal', context.env);
  if (path === undefined) return undefined;
  const { output } = await runCommand(path, ['--version'], {
    env: context.env,
    signal: context.signal,
    timeoutMs: 20_000,
  });
  const match = /version (\d+)\.(\d+)\.(\d+)/.exec(output);
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  if (major > leastCli[0] || (major === leastCli[0] && minor >= leastCli[1]))
    return { path, why: `${major}.${minor}.${match?.[3]}, ${path} on PATH` };
  context.report({
    kind: 'line',
    text: `${path} on PATH is too old or says no version; Candor needs Temporal CLI ${leastCli.join('.')} or newer and looks further`,
  });
  return undefined;
}
