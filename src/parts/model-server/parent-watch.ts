/**
 * Ends this process when the one that started it is gone: a killed parent sends no signal, and a model left behind
 * holds two gigabytes. Polled, because an orphan is not told; standard input is no sign, it may be closed from the start.
 */
const POLL_INTERVAL_MS = 500;

/** Calls `onOrphaned` once. `parentPid` is asked again and again. Returns the function that stops watching. */
export function watchParent(parentPid: () => number, onOrphaned: () => void): () => void {
  const original = parentPid();
  const timer = setInterval(() => {
    if (parentPid() === original) return;
    clearInterval(timer);
    onOrphaned();
  }, POLL_INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
