// A result as a benchmark leaves it, for tests of what is made of results.

import type { Chart } from '../../bench/benchmark.ts';
import type { Machine } from '../../bench/machine.ts';
import type { Result } from '../../bench/results.ts';

export const machine: Machine = {
  node: 'v20.20.2',
  cores: 2,
  cpu: 'a processor',
  memoryGb: 24,
  os: 'Debian GNU/Linux 12, Linux 6.1',
  loadBefore: 0.1,
  servers: { temporal: '1.32.0', neo4j: '5.26.30', redis: null },
};

export const chart: Chart = {
  title: 'Time of a token <p95> & more',
  unit: 'ms',
  scale: 'log',
  better: 'less',
  groups: [
    {
      label: '10 turns at once',
      marks: [
        { label: 'Candor', kind: 'candor', median: 0.8, min: 0.5, max: 4 },
        { label: 'workflow-streams [200 ms]', kind: 'rival', median: 200, min: 100, max: 1_980.4 },
      ],
    },
  ],
};

export const toResult = (parts: Partial<Result> = {}): Result => ({
  name: 'tokens',
  quick: false,
  measuredAt: '2026-01-02T03:04:05.000Z',
  tookS: 12,
  commit: '0123456789ab',
  isChanged: false,
  machine,
  tables: [{ title: 'Tokens', head: ['turns', 'p95 ms'], rows: [[10, 0.8]] }],
  bars: [{ bar: 'p95 at most 5 ms', measured: '0.8 ms', met: true }],
  charts: [chart],
  samples: [],
  ...parts,
});
