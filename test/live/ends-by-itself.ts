// A process with lanes to the addresses that it is given: one that answers and one that does not. Ends by itself when
// they are closed.

import { createRedisLane } from '../../src/live/redis.ts';
import { createScript } from './lane-events.ts';

const closes = [];
for (const url of process.argv.slice(2)) {
  const lane = await new Promise<ReturnType<typeof createRedisLane>>((resolve) => {
    const opened = createRedisLane({
      url,
      namespace: 'ends-by-itself',
      report: ({ state }) => {
        console.log(state);
        resolve(opened);
      },
    });
  });
  const { turnId, begin } = createScript();
  lane.subscribe(turnId, () => undefined);
  for (const event of begin) lane.publish(event);
  closes.push(() => lane.close());
}
await Promise.all(closes.map((close) => close()));
console.log('closed');
