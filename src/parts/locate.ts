/**
 * The order in which every part is looked for: given by the environment, on PATH, already fetched, from a package
 * registry through its client, by official download. One place, so that the order is the same for all and each result
 * can say where it came from and why.
 */
import type { PartsContext } from './context.ts';
import { PartError } from './part-error.ts';

export type Source = 'environment' | 'path' | 'cache' | 'registry' | 'official';

export interface Located {
  readonly path: string;
  readonly source: Source;
  /** One line for the terminal: `Temporal CLI 1.9.1: already fetched, …`. */
  readonly why: string;
}

/** One place to look. `find` gives `undefined` when the part is not there, and throws when it tried and failed. */
export interface Route {
  readonly source: Source;
  readonly find: () => Promise<{ readonly path: string; readonly why: string } | undefined>;
}

/** These end the search: another source would hide what the person asked for, or fail the same way. */
const finalKinds: ReadonlySet<string> = new Set(['aborted', 'asked', 'disk_full', 'platform']);

/** `advice` ends the sentence when no route worked: what a person can do. */
export async function locate(
  name: string,
  routes: readonly Route[],
  advice: string,
  context: Pick<PartsContext, 'report'>,
): Promise<Located> {
  const failures: PartError[] = [];
  for (const { source, find } of routes) {
    try {
      const found = await find();
      if (found !== undefined) return { path: found.path, source, why: `${name}: ${found.why}` };
    } catch (error) {
      if (!(error instanceof PartError) || finalKinds.has(error.kind)) throw error;
      failures.push(error);
      if (source !== routes.at(-1)?.source)
        context.report({ kind: 'line', text: `${error.message}; trying the next source` });
    }
  }
  const reasons = failures.map((failure) => failure.message).join('; ');
  const kind = failures.find((failure) => failure.kind === 'checksum')?.kind ?? failures[0]?.kind ?? 'fetch';
  throw new PartError(kind, `unable to get ${name}; ${reasons === '' ? 'it was found nowhere' : reasons}; ${advice}`);
}
