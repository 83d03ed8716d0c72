// A wait that its owner's end cuts short. It keeps no process alive.

import { setTimeout as delay } from 'node:timers/promises';

/** Resolves in either case: whoever waits asks the signal why. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // Swallowed: the only thing that it can throw is the end that the signal tells.
  await delay(ms, undefined, { ref: false, signal }).catch(() => undefined);
}
