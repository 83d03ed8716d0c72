// Temporal's runtime belongs to the process, not to a test: whoever of the kit comes first installs it, for all.

import { createLog, installRuntime, type Logger, type LogLevel } from '../src/run/log.ts';

let log: Logger | null = null;

/**
 * The log of everything that the kit runs in this process; the first call decides its level.
 *
 * @param level `fatal`: servers that are taken away on purpose are not complained about
 */
export function useTestRuntime(level: LogLevel = 'fatal'): Logger {
  if (log !== null) return log;
  log = createLog(level, null);
  installRuntime(log);
  return log;
}
