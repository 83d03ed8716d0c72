/**
 * The command line of the model server. A wrong flag is an error with its name: a server that silently took a default
 * would use memory or a port that nobody chose.
 */
import { parseArgs } from 'node:util';

export type Flags = {
  readonly modelFile: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly alias: string;
  readonly llamaDirectory: string;
  /** For each parallel request, prompt and answer together. */
  readonly contextTokens: number;
  readonly parallel: number;
  readonly queueLimit: number;
  /** At most; fewer while other processes are busy. */
  readonly threads: number;
};

/** `cores` is what the machine offers: more threads than cores made generation eighty times slower (measured). */
export function parseFlags(args: readonly string[], cores: number): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      model: { type: 'string' },
      port: { type: 'string' },
      alias: { type: 'string' },
      llama: { type: 'string' },
      context: { type: 'string', default: '8192' },
      parallel: { type: 'string', default: '2' },
      queue: { type: 'string', default: '16' },
      threads: { type: 'string', default: String(cores) },
    },
    strict: true,
  });
  return {
    modelFile: requireText('model', values.model),
    port: parseCount('port', requireText('port', values.port), 0, 65_535),
    alias: requireText('alias', values.alias),
    llamaDirectory: requireText('llama', values.llama),
    contextTokens: parseCount('context', values.context, 512, 131_072),
    parallel: parseCount('parallel', values.parallel, 1, 16),
    queueLimit: parseCount('queue', values.queue, 0, 1000),
    threads: parseCount('threads', values.threads, 1, 256),
  };
}

function requireText(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new Error(`unable to start the model server; --${name} is missing`);
  return value;
}

function parseCount(name: string, value: string, least: number, most: number): number {
  const count = Number(value);
  if (/^\d+$/.test(value) && count >= least && count <= most) return count;
  throw new Error(
    `unable to start the model server; --${name} must be a whole number from ${least} to ${most}, found "${value}"`,
  );
}
