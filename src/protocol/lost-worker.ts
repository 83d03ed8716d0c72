// What is known of a model call whose worker died: its last heartbeat. Said by the workflow when the heartbeats end, and
// by whoever noticed the death before that; one function, so that both say the same.

import type { StreamFailure, StreamHeartbeat } from './activities.ts';
import { toErrorInfo } from './errors.ts';
import { unknownUsage } from './receipt.ts';

/** @param beat absent: it died before its first heartbeat */
export const toLostStream = (beat: StreamHeartbeat | undefined): StreamFailure & { readonly atLeast: true } => ({
  error: toErrorInfo('worker_lost'),
  shownChars: (beat?.answer.length ?? 0) + (beat?.reasoning.length ?? 0),
  // A heartbeat trails what was shown.
  atLeast: true,
  responseId: null,
  finishReason: null,
  usage: unknownUsage,
  backend: null,
  loadingMs: 0,
});
