// A clock that a test moves: timers run when they are told to, so nothing waits for real time.

import type { Clock } from '../../src/client/index.ts';

export interface ManualClock extends Clock {
  /** Delays of the timers that are set, in the order in which they were. */
  pending(): readonly number[];
  /** Runs every timer that is set now with a delay of at most `limitMs`. */
  runDue(limitMs: number): void;
}

export function createManualClock(): ManualClock {
  let timers: { delayMs: number; run: () => void }[] = [];
  return {
    nowMs: () => 1_000_000,
    after(delayMs, run) {
      const timer = { delayMs, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    pending: () => timers.map(({ delayMs }) => delayMs),
    runDue(limitMs) {
      const due = timers.filter(({ delayMs }) => delayMs <= limitMs);
      timers = timers.filter(({ delayMs }) => delayMs > limitMs);
      for (const { run } of due) run();
    },
  };
}
