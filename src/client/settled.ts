// A promise that is settled from outside. Nobody has to wait for it: a rejection without a listener is no event.

export interface Settled<Value> {
  readonly promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: Error): void;
}

export function createSettled<Value>(): Settled<Value> {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<Value>((whenDone, whenFailed) => {
    resolve = whenDone;
    reject = whenFailed;
  });
  // Swallowed: whoever waits for the promise is told; the same failure stands in the turn's state.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
