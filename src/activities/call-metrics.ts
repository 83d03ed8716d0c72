// What a worker counts of its model calls. A port, as the gateway's for its delivery.

import type { ErrorCode } from '../protocol/errors.ts';
import type { Usage } from '../protocol/receipt.ts';

/** `bug`: it failed with something that has no code. */
export type CallOutcome = 'answered' | 'stopped' | 'bug' | ErrorCode;

export interface CallMetrics {
  callBegan(): void;
  /** @param chars UTF-16 units that the model sent, in both channels; `null`: nobody counted */
  callEnded(outcome: CallOutcome, chars: number | null, usage: Usage): void;
}
