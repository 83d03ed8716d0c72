// Every activity's time limits and retries in one table. `stream` is tried once here: the workflow owns its retries,
// because each failed attempt is shown to the user.

import type { ActivityOptions } from '@temporalio/workflow';
import { recordFailureDeadlineMs, storeDeadlineMs } from '../protocol/limits.ts';

/** Codes that no repetition cures: Temporal must not try them again. */
const final = [
  'agent_not_found',
  'agent_invalid',
  'conversation_busy',
  'conversation_not_found',
  'turn_not_found',
  'turn_conflict',
  'invalid_request',
  'internal',
];

const gentle = {
  initialInterval: 500,
  backoffCoefficient: 2,
  maximumInterval: '10s',
  nonRetryableErrorTypes: final,
} as const;

export const activityOptions = {
  // A stop waits for a link that is being written: otherwise it would be committed behind the turn's back, after its
  // end was recorded, and stay open in the conversation.
  retrieveAgent: {
    startToCloseTimeout: '15s',
    scheduleToCloseTimeout: '15m',
    retry: gentle,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  },
  // A model that is still being fetched may take hours; the call itself is limited inside, from the moment it begins.
  stream: {
    startToCloseTimeout: '12h',
    heartbeatTimeout: '3s',
    retry: { maximumAttempts: 1 },
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  },
  /** Local: it reads nothing and calls nobody, so a failure of it will not be cured by waiting. */
  signReceipt: { startToCloseTimeout: '5s', retry: { maximumAttempts: 3 } },
  store: { startToCloseTimeout: '30s', scheduleToCloseTimeout: storeDeadlineMs, retry: gentle },
  /** Recording the end of a turn without text: its end must not wait for the record. */
  record: { startToCloseTimeout: '10s', scheduleToCloseTimeout: recordFailureDeadlineMs, retry: gentle },
  analyze: { startToCloseTimeout: '30s', scheduleToCloseTimeout: '24h', retry: { ...gentle, maximumInterval: '10m' } },
  callLlm: {
    startToCloseTimeout: '20m',
    heartbeatTimeout: '30s',
    scheduleToCloseTimeout: '24h',
    retry: {
      initialInterval: '2s',
      backoffCoefficient: 2,
      maximumInterval: '30m',
      nonRetryableErrorTypes: [
        'llm_auth',
        'llm_model_not_found',
        'llm_quota_exhausted',
        'llm_content_filtered',
        'llm_context_too_long',
        'internal',
      ],
    },
  },
  enqueueRecord: {
    startToCloseTimeout: '30s',
    scheduleToCloseTimeout: '48h',
    retry: { ...gentle, maximumInterval: '10m' },
  },
} as const satisfies Record<string, ActivityOptions>;
