// A value that can be watched, in the shape of React's `useSyncExternalStore`.

export interface Observable<Value> {
  readonly get: () => Value;
  readonly subscribe: (listener: () => void) => () => void;
}

export interface MutableObservable<Value> extends Observable<Value> {
  readonly set: (value: Value) => void;
}

/**
 * @param schedule when listeners are told; a page passes its frame clock, so that a burst of events is one rendering.
 * `get` is never behind.
 */
export function createObservable<Value>(
  initial: Value,
  schedule: (tell: () => void) => void = (tell) => tell(),
): MutableObservable<Value> {
  let value = initial;
  let due = false;
  const listeners = new Set<() => void>();
  const tell = (): void => {
    due = false;
    for (const listener of [...listeners]) listener();
  };
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      if (due) return;
      due = true;
      schedule(tell);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
