// What the lane's keys and channels are called. Deployments that share a Redis differ in their namespace; the braces keep
// all that belongs to a turn on one node of a cluster.

import type { TurnId } from '../protocol/ids.ts';

export interface LaneNames {
  /** Of the channel on which stops are told. */
  readonly stops: string;
  /** Of the channel on which begun turns are announced. */
  readonly begun: string;
  /** Of a turn's stream, and of its channel. */
  ofTurn(turnId: TurnId): string;
  toTurn(name: string): TurnId;
}

export function createLaneNames(namespace: string): LaneNames {
  const before = `candor:${namespace}:{`;
  const after = '}:lane';
  return {
    stops: `candor:${namespace}:stops`,
    begun: `candor:${namespace}:begun`,
    ofTurn: (turnId) => `${before}${turnId}${after}`,
    toTurn: (name) => name.slice(before.length, -after.length) as TurnId,
  };
}
