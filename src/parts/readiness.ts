/**
 * Waits until a child answers. Asked again and again, because a server says to nobody when it is ready; ends at once when
 * the child ends, with the last line of its log as the reason.
 */
import { toLastLine } from './client-command.ts';
import { PartError } from './part-error.ts';
import type { Child } from './processes.ts';

/** `probe` says whether the child answers; it is not called twice at once. Throws `PartError` `exited` or `timeout`. */
export async function waitUntilReady(
  child: Child,
  probe: () => Promise<boolean>,
  options: { readonly timeoutMs: number; readonly everyMs?: number },
): Promise<void> {
  const { timeoutMs, everyMs = 100 } = options;
  const untilMs = performance.now() + timeoutMs;
  const end = child.exited.then((exit) => ({ exit }));
  for (;;) {
    const result = await Promise.race([end, probe().then((ready) => ({ ready }))]);
    if ('exit' in result) {
      const how = result.exit.signal === null ? `code ${result.exit.code}` : result.exit.signal;
      throw new PartError(
        'exited',
        `unable to start ${child.name}; it ended with ${how}: ${toLastLine(await child.readLogTail())}; see ${child.logFile}`,
      );
    }
    if (result.ready) return;
    if (performance.now() >= untilMs) {
      throw new PartError(
        'timeout',
        `unable to start ${child.name}; it did not answer within ${timeoutMs / 1000} s; see ${child.logFile}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** For a server that starts half-way: ends the child before the error goes on. */
export async function stopOnFailure<T>(child: Child, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await child.stop();
    throw error;
  }
}
