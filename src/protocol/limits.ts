// Published limits and defaults. Users and tests rely on them; a change is a change of the contract.

/** UTF-16 units of a message. */
export const maxMessageLength = 10_000;
/** Bytes (UTF-8) of a model's reply, and of any payload in history. */
export const maxReplyBytes = 256 * 1024;
/** Bytes (UTF-8) of all attachments of a message together. */
export const maxAttachmentBytes = 64 * 1024;
export const maxAttachments = 8;
/** Sequenced events of a turn. */
export const maxEventsPerTurn = 2_000;
/** Turns that wait in one conversation. */
export const maxQueuedTurns = 10;

export const defaultRetry = {
  /** Tries of one model call, the first included. Tiers and agents may add, never take away. */
  maxAttempts: 4,
  initialMs: 1_000,
  factor: 2,
  maxMs: 30_000,
  /** Each wait is multiplied by a random number in 1 ± this. */
  jitter: 0.2,
} as const;

export const defaultTimeouts = {
  connectMs: 10_000,
  firstTokenMs: 60_000,
  silenceMs: 30_000,
  /** Generating, with all retries and steps. */
  turnMs: 15 * 60_000,
} as const;

/** Waiting behind other turns. */
export const maxQueueWaitMs = 24 * 60 * 60_000;
/** Storing an answer that was already shown. */
export const storeDeadlineMs = 24 * 60 * 60_000;
/** Recording the end of a turn that failed: the record is worth less than the end. */
export const recordFailureDeadlineMs = 30_000;
export const followBackoff = { initialMs: 1_000, factor: 2, maxMs: 60_000 } as const;

export const defaultBudget = { historyTokens: 4_000, contextTokens: 1_500 } as const;

/** Above it a verdict that finds the answer incorrect rejects the memory. Exactly at it, it does not. */
export const auditRejectAbove = 0.85;
export const auditFlagAbove = 0.6;
