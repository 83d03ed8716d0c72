// A link is the network between two kinds of parts: one proxy for each pair of them, cut and healed together.

import type { FaultProxy } from './fault-proxy.ts';

export const linkNames = [
  'client-gateway',
  'gateway-temporal',
  'gateway-neo4j',
  'worker-temporal',
  'worker-neo4j',
  'worker-model',
  'gateway-redis',
  'worker-redis',
] as const;
export type LinkName = (typeof linkNames)[number];

/** Those that are there only when a Redis is. */
export const isOfRedis = (name: string): boolean => name.includes('redis');

export interface Link {
  readonly proxies: readonly FaultProxy[];
  cut(): void;
  hold(): void;
  heal(): void;
}

export function createLink(proxies: readonly FaultProxy[]): Link {
  return {
    proxies,
    cut: () => proxies.forEach((proxy) => proxy.cut()),
    hold: () => proxies.forEach((proxy) => proxy.hold()),
    heal: () => proxies.forEach((proxy) => proxy.heal()),
  };
}
