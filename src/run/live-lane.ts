// Which live lane a process has, and what is said of it: at start to whoever started it, later in the log. A Redis that
// is away stops nothing: the durable side has all that the lane would have brought, some seconds later.

import { createMemoryLane } from '../live/memory.ts';
import type { LaneReport } from '../live/redis.ts';
import type { LiveLane } from '../protocol/ports.ts';
import type { Logger } from './log.ts';

export interface LiveLaneOptions {
  /** `null`: in memory. */
  readonly redisUrl: string | null;
  /** Of Temporal: deployments that share a Redis differ in it. */
  readonly namespace: string;
  readonly say: (line: string) => void;
  readonly log: Logger;
}

/** Does not wait for Redis. */
export async function openLiveLane({ redisUrl, namespace, say, log }: LiveLaneOptions): Promise<LiveLane> {
  if (redisUrl === null) {
    say('live lane: in memory, for this process alone; REDIS_URL joins several');
    return createMemoryLane();
  }
  const { protocol, host } = new URL(redisUrl);
  // Without the user and the password that may stand in it.
  const address = `${protocol}//${host}`;
  let isFirst = true;
  const report = (next: LaneReport): void => {
    const line = toLine(address, next);
    if (isFirst) say(line);
    else if (next.state === 'connected') log.info(line);
    else log.warn(line);
    isFirst = false;
  };
  const { createRedisLane } = await import('../live/redis.ts');
  return createRedisLane({ url: redisUrl, namespace, report });
}

function toLine(address: string, report: LaneReport): string {
  const late = 'text between processes comes some seconds late';
  switch (report.state) {
    case 'connected':
      return `live lane: Redis at ${address}`;
    case 'away':
      return `live lane: Redis at ${address} does not answer (${report.reason}); until it does, ${late}`;
    case 'refused':
      return `live lane: Redis at ${address} refuses what it is sent (${report.reason}); until it takes it, ${late}`;
  }
}
