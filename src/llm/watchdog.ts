// Ends a call that keeps silent. Only time spent waiting for the backend counts: a reader that takes long over a chunk
// must not make the backend look silent.

export interface Watchdog {
  /** The limit that was exceeded, in milliseconds; `null` while none was. */
  readonly expiredMs: number | null;
  /** Grants so much waiting from now on, in place of what was left. */
  grant(limitMs: number): void;
  /** Waits for `step`, at most as long as is granted; then `onExpire` has to make it end. */
  watch<Result>(step: () => Promise<Result>): Promise<Result>;
}

/** A longer timer would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

export function createWatchdog(onExpire: () => void): Watchdog {
  let limitMs = Number.POSITIVE_INFINITY;
  let leftMs = limitMs;
  let expiredMs: number | null = null;
  return {
    get expiredMs() {
      return expiredMs;
    },
    grant(nextMs) {
      limitMs = nextMs;
      leftMs = nextMs;
    },
    async watch(step) {
      const expire = (): void => {
        expiredMs = limitMs;
        onExpire();
      };
      const startedAt = performance.now();
      const timer = setTimeout(expire, Math.min(leftMs, maxTimerMs));
      try {
        return await step();
      } finally {
        clearTimeout(timer);
        leftMs = Math.max(0, leftMs - (performance.now() - startedAt));
      }
    },
  };
}
