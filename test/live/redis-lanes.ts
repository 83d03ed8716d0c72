// Lanes on one Redis, each as a process of its own would have it.

import { createRedisLane, type LaneReport, type RedisLaneLimits } from '../../src/live/redis.ts';
import type { LiveLane } from '../../src/protocol/ports.ts';

export interface LaneUnderTest extends LiveLane {
  readonly reports: readonly LaneReport[];
  /** Resolves with the first report of this state that comes after the ones that were awaited. */
  untilReport(state: LaneReport['state']): Promise<LaneReport>;
}

export const namespace = 'lane-test';

export function createLane(url: string, limits: Partial<RedisLaneLimits> = {}): LaneUnderTest {
  const reports: LaneReport[] = [];
  const looks = new Set<() => void>();
  let seen = 0;
  const lane = createRedisLane({
    url,
    namespace,
    limits,
    report: (report) => {
      reports.push(report);
      for (const look of [...looks]) look();
    },
  });
  return {
    ...lane,
    reports,
    untilReport: (state) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = reports.findIndex((report, n) => n >= seen && report.state === state);
          const report = reports[found];
          if (report === undefined) return;
          looks.delete(look);
          seen = found + 1;
          resolve(report);
        };
        looks.add(look);
        look();
      }),
  };
}
