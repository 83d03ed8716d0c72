// What the load's process can be asked for: it plays the model's server and all users, on one clock, and is the same for
// everybody who is measured.

import type { Order } from './question.ts';

/** An address that users connect to. */
export interface Target {
  readonly url: string;
  readonly token: string;
  readonly agentId: string;
}

export interface TurnsOrder extends Order {
  readonly target: Target;
  readonly turns: number;
  /** So many run at any time, each on a socket of its own. */
  readonly atOnce: number;
  /** Sockets more that follow each turn by `resume`. */
  readonly moreReaders: number;
  /** Whether the time of each token is wanted. */
  readonly latencies: boolean;
}

export interface TurnsReport {
  readonly turnIds: readonly string[];
  /** From the first message to the last end. */
  readonly tookMs: number;
  /** From a message to its turn's end, one for each turn. */
  readonly turnMs: readonly number[];
  /** One for each token; empty when not wanted. */
  readonly latenciesMs: readonly number[];
  /** What came on the sockets meanwhile. */
  readonly received: Received;
  /** Processor time of the load's process meanwhile. */
  readonly loadCpuMs: number;
  /** Of all answers, at every reader, against what the model's server wrote. */
  readonly text: TextCheck;
}

export interface Received {
  readonly frames: number;
  /** Of the frames' contents. */
  readonly bytes: number;
}

export interface TextCheck {
  readonly characters: number;
  readonly lost: number;
  readonly doubled: number;
  /** Answers that are not what was written. */
  readonly wrong: number;
}

export type LoadCalls = {
  /** Base address of the model's server, ends with `/v1`. */
  readonly start: (argument: null) => Promise<string>;
  readonly turns: (order: TurnsOrder) => Promise<TurnsReport>;
};
