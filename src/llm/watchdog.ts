// Ends a call that keeps silent. Only time spent waiting for the backend counts: a reader that takes long over a chunk
// must not make the backend look silent. A timer stands for many waits, because each token is one.

export interface Watchdog {
  /** The limit that was exceeded, in milliseconds; `null` while none was. */
  readonly expiredMs: number | null;
  /** Grants so much waiting from now on, in place of what was left. */
  grant(limitMs: number): void;
  /** Waits for `step`, at most as long as is granted; then `onExpire` has to make it end. */
  watch<Result>(step: Promise<Result>): Promise<Result>;
  /** Nothing is watched any more. */
  end(): void;
}

/** A longer timer would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

export function createWatchdog(onExpire: () => void): Watchdog {
  let limitMs = Number.POSITIVE_INFINITY;
  let leftMs = limitMs;
  let expiredMs: number | null = null;
  /** Since when a step is waited for. */
  let sinceMs: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  let dueMs = Number.POSITIVE_INFINITY;

  const disarm = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  /** A timer that fires before its step is due looks again; one that would fire after it is set anew. */
  const arm = (nowMs: number): void => {
    if (timer !== undefined && dueMs <= nowMs + leftMs) return;
    disarm();
    dueMs = nowMs + leftMs;
    timer = setTimeout(look, Math.min(leftMs, maxTimerMs));
  };
  const look = (): void => {
    timer = undefined;
    if (sinceMs === null) return;
    const nowMs = performance.now();
    leftMs = Math.max(0, leftMs - (nowMs - sinceMs));
    sinceMs = nowMs;
    // Timers count whole milliseconds and may fire a fraction early.
    if (leftMs >= 1) return arm(nowMs);
    expiredMs = limitMs;
    onExpire();
  };

  return {
    get expiredMs() {
      return expiredMs;
    },
    grant(nextMs) {
      limitMs = nextMs;
      leftMs = nextMs;
    },
    async watch(step) {
      sinceMs = performance.now();
      arm(sinceMs);
      try {
        return await step;
      } finally {
        leftMs = Math.max(0, leftMs - (performance.now() - sinceMs));
        sinceMs = null;
      }
    },
    end: disarm,
  };
}
