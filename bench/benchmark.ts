// What a benchmark gives: tables for people, bars that were promised, charts, headlines that stand beside other products,
// and samples for whoever wants to compute something else from them. The frame prints, keeps and draws them; a benchmark
// measures and does nothing else.

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A published bar, with what was measured. The README shows all of them. */
export interface Bar {
  readonly bar: string;
  readonly measured: string;
  readonly met: boolean;
}

/** `reference`: neither Candor nor its rival, but what both can be held against, such as a call without either. */
export type MarkKind = 'candor' | 'rival' | 'reference';

/** One bar of a chart. */
export interface Mark {
  readonly label: string;
  readonly kind: MarkKind;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Marks measured side by side, in turn, in one run. Ratios are told to the first mark: Candor's. */
export interface MarkGroup {
  readonly label: string;
  readonly marks: readonly Mark[];
}

export interface Chart {
  readonly title: string;
  /** Of all marks: `ms`, `turns/s`, `events`, `KB`. */
  readonly unit: string;
  /** `log` where the marks differ by more than some ten times. */
  readonly scale: 'linear' | 'log';
  readonly better: 'less' | 'more';
  readonly groups: readonly MarkGroup[];
  /** Shown in the README too; absent: in docs/benchmarks.md only. */
  readonly inOverview?: boolean;
}

/** Figures that were measured of other products too (bench/rivals.ts), each by the benchmark that measures it. */
export interface Headlines {
  /** p50 over a direct call; all in one process. */
  readonly firstTokenAddedMs?: number;
  /** From the upstream's write to the socket's receipt, 400 tokens at 200 a second. */
  readonly oneTurnTokenP50Ms?: number;
  readonly oneTurnTokenP95Ms?: number;
  readonly tenTurnsTokenP50Ms?: number;
  readonly tenTurnsTokenP95Ms?: number;
  /** Turns of 20 tokens at 20 at once. */
  readonly turnsPerSecond?: number;
  /** The only worker killed in mid-answer and started again at once, to the next token at the client; p50. */
  readonly nextTokenAfterKillMs?: number;
  readonly tokensDoubledAfterKill?: number;
}

export interface Report {
  readonly tables: readonly Table[];
  readonly bars: readonly Bar[];
  /** Absent: the benchmark has nothing to draw. */
  readonly charts?: readonly Chart[];
  readonly headlines?: Headlines;
  /** Raw figures, as JSON. The frame keeps a bounded number of each list, evenly spread. */
  readonly samples: unknown;
}

export interface RunOptions {
  /** A few rounds: shows that it runs and about what it gives. Figures of a quick run are never published. */
  readonly quick: boolean;
}

export interface Benchmark {
  readonly name: string;
  run(options: RunOptions): Promise<Report>;
}
