// The figures of one Candor, in a registry of its own: several may run in one process, and none counts for another.

import { Gauge, Registry } from 'prom-client';
import type { CallMetrics } from '../activities/call-metrics.ts';
import type { DeliveryMetrics } from '../api/delivery-metrics.ts';
import type { LaneStatus } from '../protocol/ports.ts';
import { createCallMetrics } from './calls.ts';
import { createDeliveryMetrics } from './delivery.ts';
import { registerProcess } from './process.ts';

export interface MetricsText {
  readonly contentType: string;
  /** In the text format of Prometheus. */
  readonly text: string;
}

export interface CandorMetrics {
  readonly delivery: DeliveryMetrics;
  readonly calls: CallMetrics;
  read(): Promise<MetricsText>;
  close(): void;
}

export interface CandorMetricsOptions {
  readonly lane: { status(): LaneStatus };
}

export function createCandorMetrics({ lane }: CandorMetricsOptions): CandorMetrics {
  const registry = new Registry();
  const endProcess = registerProcess(registry);
  new Gauge({
    name: 'candor_lane_connected',
    help: 'Whether the live lane is there: 1 or 0, by its kind.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      const status = lane.status();
      this.reset();
      this.set({ kind: status.kind }, status.kind === 'memory' || status.connected ? 1 : 0);
    },
  });
  return {
    delivery: createDeliveryMetrics(registry),
    calls: createCallMetrics(registry),
    read: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    close() {
      endProcess();
      registry.clear();
    },
  };
}
