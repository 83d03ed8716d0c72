// A valve lets chunks pass as a test says, so that no test waits for a fixed time to be in the middle of a stream.

export interface Valve {
  /** Lets so many more chunks pass. */
  pass(count: number): void;
  /** Lets everything pass from now on. */
  open(): void;
  /** Resolves when one chunk may pass. */
  next(): Promise<void>;
}

export function createValve(): Valve {
  let allowed = 0;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    while (allowed > 0 && waiting.length > 0) {
      allowed -= 1;
      waiting.shift()?.();
    }
  };
  return {
    pass(count) {
      allowed += count;
      release();
    },
    open() {
      allowed = Number.POSITIVE_INFINITY;
      release();
    },
    next() {
      return new Promise((resolve) => {
        waiting.push(resolve);
        release();
      });
    },
  };
}
