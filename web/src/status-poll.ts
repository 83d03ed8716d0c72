// Asks how the model and the other parts are: often while the model is being loaded or nothing answers, seldom else.

import type { Clock } from '../../src/client/index.ts';
import type { StatusResource } from './resources.ts';
import { RestError, type Rest } from './rest.ts';

const everyMs = { unsettled: 1_500, settled: 20_000 } as const;

/** Returns the end of the asking. */
export function startStatusPoll(rest: Rest, clock: Clock, onStatus: (status: StatusResource) => void): () => void {
  let stopped = false;
  let cancel = (): void => undefined;
  const poll = async (): Promise<void> => {
    const status = await rest.status().catch((error: unknown) => {
      // The connection's own note tells that nothing answers.
      if (error instanceof RestError) return null;
      throw error;
    });
    if (stopped) return;
    if (status !== null) onStatus(status);
    const settled = status !== null && status.model.state !== 'loading';
    cancel = clock.after(settled ? everyMs.settled : everyMs.unsettled, () => void poll());
  };
  void poll();
  return () => {
    stopped = true;
    cancel();
  };
}
