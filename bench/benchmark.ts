// What a benchmark gives: tables for people, samples for whoever wants to compute something else from them.

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface Report {
  readonly tables: readonly Table[];
  /** Published bars, each with what was measured. */
  readonly bars: readonly { readonly bar: string; readonly measured: string; readonly met: boolean }[];
  /** Raw figures, as JSON. */
  readonly samples: unknown;
}

export interface Benchmark {
  readonly name: string;
  run(): Promise<Report>;
}
