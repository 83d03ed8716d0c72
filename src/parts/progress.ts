/**
 * What the module tells its caller while it works, and a renderer for a terminal. The parts never print: the command owns
 * the terminal, and the page shows the same progress.
 */

export interface Progress {
  readonly kind: 'progress';
  /** What is being fetched, for a person: `Temporal CLI 1.9.1`. */
  readonly name: string;
  readonly bytes: number;
  /** `null` when the source does not say. */
  readonly totalBytes: number | null;
  readonly bytesPerSecond: number;
  /** `null` while it cannot be told. */
  readonly secondsLeft: number | null;
}
export type PartsEvent = { readonly kind: 'line'; readonly text: string } | Progress;
export type Report = (event: PartsEvent) => void;

/** The subset of `process.stderr` that a renderer needs. */
export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface Meter {
  /** Reports the bytes had so far, at most every `everyMs`. */
  at(bytes: number): void;
}

/** Turns byte counts into `Progress`; the speed counts only bytes of this run, so that a resumed fetch tells the truth. */
export function createMeter(options: {
  readonly name: string;
  readonly totalBytes: number | null;
  readonly startBytes?: number;
  readonly report: Report;
  readonly now?: () => number;
  readonly everyMs?: number;
}): Meter {
  const { name, totalBytes, report, startBytes = 0, now = () => performance.now(), everyMs = 200 } = options;
  const startedMs = now();
  let reportedMs = Number.NEGATIVE_INFINITY;
  let most = startBytes;
  return {
    at(measured) {
      // A client's files are measured while it moves them: less than before is a mistake of the measurement.
      const bytes = Math.max(most, measured);
      most = bytes;
      const nowMs = now();
      const done = totalBytes !== null && bytes >= totalBytes;
      if (nowMs - reportedMs < everyMs && !done) return;
      reportedMs = nowMs;
      const bytesPerSecond = (Math.max(0, bytes - startBytes) * 1000) / Math.max(1, nowMs - startedMs);
      const secondsLeft =
        totalBytes === null || bytesPerSecond < 1000 ? null : Math.max(0, totalBytes - bytes) / bytesPerSecond;
      report({ kind: 'progress', name, bytes, totalBytes, bytesPerSecond, secondsLeft });
    },
  };
}

function toMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}

/** `Temporal CLI 1.9.1: 12 of 45 MB, 8.2 MB/s, 4 s left`. */
export function formatProgress(progress: Progress): string {
  const size =
    progress.totalBytes === null
      ? `${toMegabytes(progress.bytes)} MB`
      : `${toMegabytes(progress.bytes)} of ${toMegabytes(progress.totalBytes)} MB`;
  const speed = `${toMegabytes(progress.bytesPerSecond)} MB/s`;
  const left = progress.secondsLeft === null ? '' : `, ${Math.ceil(progress.secondsLeft)} s left`;
  return `${progress.name}: ${size}, ${speed}${left}`;
}

/** One line rewritten in place on a terminal; elsewhere (a log file, CI) one line every `plainEveryMs`. */
export function createProgressRenderer(
  output: ProgressOutput,
  options: { readonly plainEveryMs?: number; readonly now?: () => number } = {},
): Report {
  const { plainEveryMs = 5000, now = () => performance.now() } = options;
  let open = false;
  let printedMs = Number.NEGATIVE_INFINITY;
  return (event) => {
    if (event.kind === 'line') {
      output.write(`${open ? '\r\u001b[2K' : ''}${event.text}\n`);
      open = false;
      return;
    }
    const text = formatProgress(event);
    if (output.isTTY === true) {
      const finished = event.totalBytes !== null && event.bytes >= event.totalBytes;
      output.write(`\r\u001b[2K${text.slice(0, (output.columns ?? 80) - 1)}${finished ? '\n' : ''}`);
      open = !finished;
    } else if (now() - printedMs >= plainEveryMs) {
      printedMs = now();
      output.write(`${text}\n`);
    }
  };
}
