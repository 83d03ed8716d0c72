// The gateway's own delivery in Prometheus' terms. Labels take their values from closed lists only: what a client sends
// can make no series, and no label holds an id, a name or a text.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { DeliveryMetrics, Followed } from '../api/delivery-metrics.ts';
import type { TurnEvent } from '../protocol/events.ts';

/** In the order of PROTOCOL.md. A type that is missing here does not compile. */
const eventTypes: Readonly<Record<TurnEvent['type'], true>> = {
  turn_accepted: true,
  turn_queued: true,
  agent_started: true,
  agent_thinking: true,
  delta: true,
  attempt_failed: true,
  agent_completed: true,
  agent_failed: true,
  conversation_stored: true,
  audit_started: true,
  turn_completed: true,
  turn_failed: true,
  turn_cancelled: true,
  waiting: true,
  audit_completed: true,
  audit_failed: true,
};

/** Those of RFC 6455 that can be seen here, and our own. A client may choose from thousands. */
const closeCodes: ReadonlySet<number> = new Set([
  1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1013, 4401, 4408,
]);

const other = 'other';

/**
 * Seconds. Events carry whole milliseconds, so that one lag below a millisecond is counted as 0 or as 1; the sum over
 * many is right.
 */
const lagBuckets = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export function createDeliveryMetrics(registry: Registry): DeliveryMetrics {
  const registers = [registry];
  let followed: () => Followed = () => ({ turns: 0, readers: 0 });
  /** Counted here and handed over when somebody asks: a token at a thousand sockets is a thousand events. */
  const sent = new Map<string, { readonly transport: string; readonly type: string; count: number }>();
  new Counter({
    name: 'candor_events_sent_total',
    help: 'Events handed to the network, by transport and type.',
    labelNames: ['transport', 'type'],
    registers,
    collect() {
      for (const one of sent.values()) {
        this.inc({ transport: one.transport, type: one.type }, one.count);
        one.count = 0;
      }
    },
  });
  const countSent = (transport: string, type: string): void => {
    const key = `${transport} ${type}`;
    const known = sent.get(key);
    if (known === undefined) sent.set(key, { transport, type, count: 1 });
    else known.count += 1;
  };
  const lag = new Histogram({
    name: 'candor_event_lag_seconds',
    help: 'From the emission of an event, or of the oldest piece of text sent with it, to its hand-over to the network. Not of what is told again.',
    labelNames: ['transport', 'kind'],
    buckets: [...lagBuckets],
    registers,
  });
  const resumes = new Counter({
    name: 'candor_resumes_total',
    help: 'Readers that came back to a turn.',
    labelNames: ['transport'],
    registers,
  });
  const gaps = new Counter({
    name: 'candor_gaps_filled_total',
    help: 'Times that text or events which the live lane had not brought were taken from elsewhere.',
    labelNames: ['source'],
    registers,
  });
  const sockets = new Gauge({ name: 'candor_sockets', help: 'Open sockets.', registers });
  const opened = new Counter({ name: 'candor_sockets_opened_total', help: 'Sockets that were opened.', registers });
  const closed = new Counter({
    name: 'candor_sockets_closed_total',
    help: 'Sockets that were closed, by close code.',
    labelNames: ['code'],
    registers,
  });
  const slow = new Counter({
    name: 'candor_slow_closes_total',
    help: 'Sockets that took nothing for too long and were closed.',
    registers,
  });
  new Gauge({
    name: 'candor_turns_followed',
    help: 'Turns that this gateway follows or has just followed.',
    registers,
    collect() {
      this.set(followed().turns);
    },
  });
  new Gauge({
    name: 'candor_turn_readers',
    help: 'Readers of the turns that are followed.',
    registers,
    collect() {
      this.set(followed().readers);
    },
  });

  return {
    socketOpened() {
      sockets.inc();
      opened.inc();
    },
    socketClosed(code) {
      sockets.dec();
      closed.inc({ code: closeCodes.has(code) ? code : other });
    },
    slowClosed: () => slow.inc(),
    eventSent(transport, type, lagMs) {
      countSent(transport, Object.hasOwn(eventTypes, type) ? type : other);
      if (lagMs === null) return;
      // Clocks of two machines may differ: nothing is sent before it is emitted.
      lag.observe({ transport, kind: type === 'delta' ? 'text' : 'event' }, Math.max(0, lagMs) / 1_000);
    },
    resumed: (transport) => resumes.inc({ transport }),
    gapFilled: (source) => gaps.inc({ source }),
    follows(count) {
      followed = count;
    },
  };
}
