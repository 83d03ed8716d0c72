// The reading process of the lane's benchmark: follows the turns that it is named, and tells how long each token took.

import { createRedisLane } from '../src/live/redis.ts';
import type { TurnId } from '../src/protocol/ids.ts';
import { logLatencies } from './lane-tokens.ts';

export interface ReadOrder {
  readonly url: string;
  readonly turnIds: readonly TurnId[];
  readonly tokens: number;
}
export type ReaderReport =
  { readonly state: 'follows' } | { readonly state: 'done'; readonly samples: readonly number[] };

const tell = (report: ReaderReport): void => void process.send?.(report);

// Ends when its parent lets go of it, which has the samples then.
process.on('message', (message) => {
  const { url, turnIds, tokens } = message as ReadOrder;
  const lane = createRedisLane({
    url,
    namespace: 'bench',
    report: ({ state }) => {
      if (state === 'connected') tell({ state: 'follows' });
    },
  });
  const log = logLatencies(lane, turnIds, tokens);
  void log.samples.then(async (samples) => {
    await lane.close();
    tell({ state: 'done', samples });
  });
});
