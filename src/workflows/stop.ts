// Everything that can end a turn early, in one place: its user, a withdrawal while it waits, a later message that
// interrupts, an operator in Temporal. Once the answer is being stored it is too late for all of them.

import { CancellationScope, isCancellation, setHandler } from '@temporalio/workflow';
import type { CancelSignal, InterruptSignal } from '../protocol/turn.ts';
import { cancelSignal, interruptSignal, withdrawSignal } from './definitions.ts';

export type Phase = 'working' | 'queued' | 'closing';

export interface Stop {
  /** The first request that was in time; `null`: nobody asked. */
  readonly asked: CancelSignal | null;
  enter(phase: Phase): void;
  /** Runs work that a stop ends; `null` when it was ended without a result. */
  run<Result>(work: () => Promise<Result>): Promise<Result | null>;
}

export function createStop(now: () => string): Stop {
  const scope = new CancellationScope({ cancellable: true });
  let phase: Phase = 'working';
  let asked: CancelSignal | null = null;

  const ask = (request: CancelSignal): void => {
    if (asked !== null || phase === 'closing') return;
    asked = request;
    scope.cancel();
  };
  setHandler(cancelSignal, ask);
  setHandler(withdrawSignal, (request) => {
    if (phase === 'queued') ask(request);
  });
  setHandler(interruptSignal, ({ requestedAt }: InterruptSignal) => ask({ by: 'interrupt', requestedAt }));

  return {
    get asked() {
      return asked;
    },
    enter(next) {
      phase = next;
    },
    async run(work) {
      try {
        return await scope.run(work);
      } catch (error) {
        // After a request, whatever the interrupted step threw is how it was interrupted: a step that is waited for may
        // also break while it ends.
        if (!scope.consideredCancelled && !isCancellation(error)) throw error;
        // Without a signal it was the workflow itself that was cancelled: from Temporal UI or its command line.
        asked ??= { by: 'operator', requestedAt: now() };
        return null;
      } finally {
        phase = 'closing';
      }
    },
  };
}
