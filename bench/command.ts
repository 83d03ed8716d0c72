// The command line of the benchmarks, as a value. Everything is refused before a server starts.

import { parseArgs, types } from 'node:util';

export type BenchCommand =
  | { readonly do: 'refuse'; readonly reason: string }
  | { readonly do: 'help' }
  | { readonly do: 'list' | 'report'; readonly quick: boolean }
  | {
      readonly do: 'measure';
      /** In the order in which they run. */
      readonly names: readonly string[];
      readonly all: boolean;
      readonly quick: boolean;
    };

/** @param known names of the benchmarks, in their order */
export function parseCommand(args: readonly string[], known: readonly string[]): BenchCommand {
  const parsed = parse(args);
  if ('message' in parsed) return { do: 'refuse', reason: `unable to run the benchmarks; ${parsed.message}` };
  const { values, positionals } = parsed;
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    return { do: 'refuse', reason: `unable to run ${unknown.join(', ')}; no benchmark has that name` };
  if (values.help) return { do: 'help' };
  const { quick } = values;
  if (values.list) return { do: 'list', quick };
  if (values.report) return { do: 'report', quick };
  const names = known.filter((name) => positionals.length === 0 || positionals.includes(name));
  return { do: 'measure', names, all: positionals.length === 0, quick };
}

function parse(args: readonly string[]) {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const options = { list: flag, quick: flag, report: flag, help: flag };
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
}

const isRefusal = (error: unknown): error is Error =>
  types.isNativeError(error) && 'code' in error && `${error.code}`.startsWith('ERR_PARSE_ARGS');

export const usage = (known: readonly string[]): string => `npm run bench -- [names] [options]

  without a name   all benchmarks, then charts, docs/benchmarks.md and the README from what they gave
  --quick          few rounds; kept apart and never published
  --list           the benchmarks, and how long each took
  --report         charts, docs/benchmarks.md and the README from bench/results; with --quick from the quick runs

benchmarks: ${known.join(', ')}`;
