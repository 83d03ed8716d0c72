// R43: a socket whose peer takes nothing is closed with the code of the catalogue, and the operator can read why.

import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createSocketSession, type SocketSessionDependencies } from '../../src/api/socket-session.ts';
import { createDeliveryMetrics } from '../../src/metrics/delivery.ts';
import type { AgentId, UserId } from '../../src/protocol/ids.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function open(takes: boolean) {
  const closes: [number, string][] = [];
  const warnings: object[] = [];
  const log = {
    debug: jest.fn(),
    info: jest.fn(),
    error: jest.fn(),
    warn: (facts: object) => void warnings.push(facts),
  };
  const peer = {
    send: (_frames: readonly string[], sent: () => void) => (takes ? sent() : undefined),
    close: (code: number, reason: string) => void closes.push([code, reason]),
    pause: () => undefined,
    resume: () => undefined,
  };
  const caller = {
    userId: 'ada' as UserId,
    roles: [],
    tier: 'free' as const,
    expiresAt: new Date(Date.now() + 86_400_000),
  };
  // A greeting is all that is sent here: neither turns nor the graph are asked.
  const metrics = createDeliveryMetrics(new Registry());
  const dependencies = { log, metrics } as unknown as SocketSessionDependencies;
  const session = createSocketSession(peer, 'operator' as AgentId, caller, dependencies);
  return { session, closes, warnings };
}

test('a peer that takes nothing for 30 s is closed as slow_consumer, and the log says so', async () => {
  const { session, closes, warnings } = open(false);
  await jest.advanceTimersByTimeAsync(29_000);
  expect(closes).toEqual([]);
  await jest.advanceTimersByTimeAsync(1_100);
  expect(closes).toEqual([[1013, 'slow_consumer']]);
  expect(warnings).toEqual([{ code: 'slow_consumer', userId: 'ada', turns: 0 }]);
  session.closed();
});

test('a peer that takes what it is sent is not', async () => {
  const { session, closes } = open(true);
  await jest.advanceTimersByTimeAsync(120_000);
  expect(closes).toEqual([]);
  session.closed();
});
