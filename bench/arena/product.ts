// What a measured process can be asked for, and how it is built: Candor as it is composed everywhere, with one of the
// lanes, as one process or as two.

import type { Order } from './question.ts';

export type LaneChoice =
  | { readonly kind: 'memory' }
  | { readonly kind: 'redis'; readonly url: string }
  /** `batchInterval: null`: the package's own. */
  | { readonly kind: 'workflow-streams'; readonly batchInterval: '200 milliseconds' | null };

export interface ProductOrder {
  readonly lane: LaneChoice;
  readonly roles: 'both' | 'gateway' | 'worker';
  readonly taskQueue: string;
  readonly upstreamUrl: string;
  /** Of the users' tokens. */
  readonly secret: string;
}

export interface EngineOrder extends Order {
  readonly turns: number;
  readonly atOnce: number;
}

export interface EngineReport {
  readonly turnIds: readonly string[];
  /** From the first start to the last end. */
  readonly tookMs: number;
}

export type ProductCalls = {
  /** Address of the gateway; empty without one. */
  readonly start: (order: ProductOrder) => Promise<string>;
  /** Milliseconds of processor time since the process began. */
  readonly cpuMs: (argument: null) => Promise<number>;
  /** Polls of the rival that failed, and were made again, since the process began. */
  readonly failedPolls: (argument: null) => Promise<number>;
  /** Starts turns straight in the engine, past the gateway, and waits for their ends. */
  readonly engine: (order: EngineOrder) => Promise<EngineReport>;
};
