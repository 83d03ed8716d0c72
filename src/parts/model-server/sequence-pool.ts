/**
 * Lends a fixed number of slots to callers, first come, first served, with a bounded queue: a model on two cores that
 * takes everybody at once serves nobody. A free slot is chosen by how much of the caller's prompt it still remembers.
 */
import { createQueueFull } from './openai-error.ts';

export type Lease<Slot> = { readonly slot: Slot; readonly release: () => void };

export type SequencePool<Slot> = {
  /** Rejects with a `Refusal` (429) when the queue is full and with the signal's reason when it aborts. */
  readonly acquire: (affinity: (slot: Slot) => number, signal: AbortSignal) => Promise<Lease<Slot>>;
  readonly active: () => number;
  readonly queued: () => number;
};

export type SequencePoolOptions<Slot> = {
  readonly slots: readonly Slot[];
  readonly queueLimit: number;
  readonly nowMs: () => number;
};

type Waiter<Slot> = { readonly affinity: (slot: Slot) => number; readonly grant: (lease: Lease<Slot>) => void };

/** Until a lease has been measured, and as the bounds of what a refused caller is told. */
const FIRST_GUESS_MS = 5_000;
const MAX_RETRY_AFTER_SECONDS = 60;

export function createSequencePool<Slot>(options: SequencePoolOptions<Slot>): SequencePool<Slot> {
  /** Least recently used first: an equal choice should forget the oldest conversation. */
  const free: Slot[] = [...options.slots];
  const waiters: Waiter<Slot>[] = [];
  let meanLeaseMs = FIRST_GUESS_MS;

  const lend = (affinity: (slot: Slot) => number): Lease<Slot> | null => {
    let best: Slot | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const slot of free) {
      const score = affinity(slot);
      if (score > bestScore) [best, bestScore] = [slot, score];
    }
    if (best === undefined) return null;
    const slot = best;
    free.splice(free.indexOf(slot), 1);
    const lentAtMs = options.nowMs();
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      meanLeaseMs = 0.8 * meanLeaseMs + 0.2 * (options.nowMs() - lentAtMs);
      free.push(slot);
      serveNext();
    };
    return { slot, release };
  };

  const serveNext = (): void => {
    const next = waiters[0];
    if (next === undefined) return;
    const lease = lend(next.affinity);
    if (lease === null) return;
    waiters.shift();
    next.grant(lease);
  };

  const retryAfterSeconds = (): number => {
    const waitMs = (meanLeaseMs * (waiters.length + 1)) / options.slots.length;
    return Math.min(MAX_RETRY_AFTER_SECONDS, Math.max(1, Math.ceil(waitMs / 1000)));
  };

  const acquire = async (affinity: (slot: Slot) => number, signal: AbortSignal): Promise<Lease<Slot>> => {
    signal.throwIfAborted();
    const lease = waiters.length === 0 ? lend(affinity) : null;
    if (lease !== null) return lease;
    if (waiters.length >= options.queueLimit) throw createQueueFull(waiters.length, retryAfterSeconds());
    return new Promise((resolve, reject) => {
      const waiter: Waiter<Slot> = {
        affinity,
        grant: (granted) => {
          signal.removeEventListener('abort', leave);
          resolve(granted);
        },
      };
      const leave = (): void => {
        waiters.splice(waiters.indexOf(waiter), 1);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      waiters.push(waiter);
    });
  };

  return { acquire, active: () => options.slots.length - free.length, queued: () => waiters.length };
}
