// What every process is asked for: CPU, memory, delay of the event loop, by the names that dashboards know. prom-client
// has a set of its own, which observes for the rest of the process's life; this one ends with its Candor.

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

const loopResolutionMs = 10;
const nanosecondsPerSecond = 1e9;
const microsecondsPerSecond = 1e6;

/** Returns the end of the observing. */
export function registerProcess(registry: Registry): () => void {
  const registers = [registry];
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, user and system.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / microsecondsPerSecond);
    },
  });
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'Start of the process, since the epoch.',
    registers,
    collect() {
      this.set(performance.timeOrigin / 1_000);
    },
  });
  const memory = [
    ['process_resident_memory_bytes', 'Resident memory of the process.', 'rss'],
    ['nodejs_heap_size_used_bytes', 'Heap in use.', 'heapUsed'],
    ['nodejs_external_memory_bytes', 'Memory outside of the heap, buffers among it.', 'external'],
  ] as const;
  for (const [name, help, kind] of memory) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(process.memoryUsage()[kind]);
      },
    });
  }
  const delay = monitorEventLoopDelay({ resolution: loopResolutionMs });
  delay.enable();
  new Gauge({
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: 'Delay of the event loop since the last reading, 99th percentile.',
    registers,
    collect() {
      this.set(delay.count === 0 ? 0 : delay.percentile(99) / nanosecondsPerSecond);
      delay.reset();
    },
  });
  return () => void delay.disable();
}
