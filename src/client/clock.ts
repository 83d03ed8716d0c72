// Time as the client needs it: tests bring a clock that they move.

export interface Clock {
  /** Since the epoch. */
  nowMs(): number;
  /** Returns what takes the timer back. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
