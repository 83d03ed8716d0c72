/**
 * Runs a package registry's client (`pip`, `mvn`, `npm`) or asks a program for its version. In a process group of its own,
 * so that an abort ends the client's children too and a terminal's Ctrl-C is handled by one owner.
 */
import { spawn } from 'node:child_process';
import type { Env } from './context.ts';
import { PartError } from './part-error.ts';
import { hasCode } from './thrown.ts';

export interface CommandResult {
  readonly code: number | null;
  /** Both streams in the order of arrival, the last 64 KiB. */
  readonly output: string;
}

const maxOutput = 64 * 1024;

/** Throws `PartError` `missing_tool` when the program is not there, `aborted` on abort; any exit code is a result. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: {
    readonly env?: Env;
    readonly cwd?: string;
    readonly signal?: AbortSignal | undefined;
    readonly timeoutMs?: number;
  } = {},
): Promise<CommandResult> {
  const { signal, timeoutMs = 0 } = options;
  if (signal?.aborted === true) throw new PartError('aborted', `unable to run ${command}; it was stopped before`);
  return await new Promise<CommandResult>((resolve, reject) => {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.env === undefined ? {} : { env: { ...options.env } }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let output = '';
    let cut: PartError | undefined;
    const append = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-maxOutput);
    };
    child.stdout.on('data', append);
    child.stderr.on('data', append);
    const end = (reason: PartError): void => {
      cut = reason;
      if (child.pid !== undefined) killGroup(child.pid);
    };
    const onAbort = (): void => {
      end(new PartError('aborted', `unable to finish ${command}; it was stopped`));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer =
      timeoutMs === 0
        ? undefined
        : setTimeout(() => {
            end(
              new PartError('timeout', `unable to finish ${command}; it gave no result within ${timeoutMs / 1000} s`),
            );
          }, timeoutMs);
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    child.once('error', (error) => {
      settle();
      reject(new PartError('missing_tool', `unable to run ${command}; ${error.message}`, { cause: error }));
    });
    child.once('close', (code) => {
      settle();
      if (cut === undefined) resolve({ code, output });
      else reject(cut);
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // The group ended between the decision and the signal: what was wanted.
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

/** The last line that says something, for use inside a sentence. */
export function toLastLine(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  return (lines.findLast((line) => line !== '' && !line.startsWith('[notice]')) ?? 'no output').slice(0, 300);
}
