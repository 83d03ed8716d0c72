// Watches all workers of a task queue: learns them from a list that is read again and again, keeps a line to each, and
// tells of the dead. It judges nothing itself and knows no engine; what a death means for open work is its caller's.

import { parseIdentity } from './line-address.ts';
import { pause, watchLine, type LineWatch } from './line-watch.ts';
import type { StopRequest } from './messages.ts';

export interface WatcherOptions {
  /** Mark of this machine. */
  readonly machine: string;
  /** Of the worker in this process, which is not watched; `null` without one. */
  readonly self: string | null;
  /** Identities of workers that are there or were lately. */
  readonly listWorkers: () => Promise<readonly string[]>;
  /** Called once for each worker that is found dead. `signal`: the watching ends. */
  readonly onDeath: (identity: string, evidence: string, signal: AbortSignal) => Promise<void>;
  /** A list that could not be read, a death that could not be dealt with. */
  readonly onTrouble: (error: unknown, what: string) => void;
  readonly lookEveryMs?: number;
}

export interface Watcher {
  /** Asks every worker at once: which of them holds the turn is not known. */
  requestStop(request: StopRequest): void;
  /** Ends all lines; resolves when nothing that a death has set off is under way. */
  close(): Promise<void>;
}

interface Watched {
  readonly watch: LineWatch | null;
  /** Ends the watching. */
  leave(): void;
  readonly over: Promise<void>;
}

export function createWatcher(options: WatcherOptions): Watcher {
  const { machine, self, listWorkers, onDeath, onTrouble, lookEveryMs = 2_000 } = options;
  const closing = new AbortController();
  /** By identity; also those that have ended, as long as the list names them. */
  const workers = new Map<string, Watched>();

  const begin = (identity: string): Watched => {
    const address = parseIdentity(identity);
    const leaving = new AbortController();
    const signal = AbortSignal.any([leaving.signal, closing.signal]);
    const watch = address === null || identity === self ? null : watchLine(address, { machine, signal });
    const attend = async (): Promise<void> => {
      const end = await watch?.ended;
      if (end?.kind === 'dead') await onDeath(identity, end.evidence, closing.signal);
    };
    const over = attend().catch((error: unknown) => onTrouble(error, `unable to deal with the death of ${identity}`));
    return { watch, leave: () => leaving.abort(), over };
  };

  const look = async (): Promise<void> => {
    try {
      const listed = new Set(await listWorkers());
      if (closing.signal.aborted) return;
      for (const identity of listed) if (!workers.has(identity)) workers.set(identity, begin(identity));
      for (const [identity, worker] of workers) {
        // The list forgets slowly and may be short of one for a moment: what answers is kept.
        if (listed.has(identity) || worker.watch?.isOpen === true) continue;
        worker.leave();
        workers.delete(identity);
      }
    } catch (error) {
      // Swallowed: the list is read again soon; that it could not be read is told.
      if (!closing.signal.aborted) onTrouble(error, 'unable to list the workers');
    }
  };

  // One look after the other: a list that is slow in coming must not be asked for twice.
  const looking = (async () => {
    while (!closing.signal.aborted) {
      await look();
      await pause(lookEveryMs, closing.signal);
    }
  })();

  return {
    requestStop(request) {
      for (const { watch } of workers.values()) watch?.requestStop(request);
    },
    async close() {
      closing.abort();
      await looking;
      await Promise.all([...workers.values()].map(({ over }) => over));
    },
  };
}
