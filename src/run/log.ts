// Where the process's own log goes. `npm start` shows a person what matters and keeps the rest in a file; a worker or a
// gateway run alone write to standard error, where an orchestrator collects it.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DefaultLogger, Runtime, type LogEntry } from '@temporalio/worker';
import { destination, pino, type Logger } from 'pino';

export type { Logger } from 'pino';
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** @param file `null`: standard error */
export function createLog(level: LogLevel, file: string | null): Logger {
  if (file === null) return pino({ level, base: null }, destination(2));
  mkdirSync(dirname(file), { recursive: true });
  return pino({ level, base: null }, destination({ dest: file, mode: 0o600, sync: false }));
}

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Sends Temporal's log there too. Once a process, before anything of Temporal is used. */
export function installRuntime(log: Logger): void {
  const write = ({ level, message, meta }: LogEntry): void => log[levels[level]]({ ...meta }, message);
  Runtime.install({ logger: new DefaultLogger('WARN', write), shutdownSignals: [] });
}
