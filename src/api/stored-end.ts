// The end of a turn as a gateway writes it where the turn's own workflow could not: one without an answer.

import { createHash } from 'node:crypto';
import { toCanonicalJson } from '../protocol/canonical.ts';
import type { TurnId } from '../protocol/ids.ts';
import type { StoreTurnInput } from '../protocol/ports.ts';
import { toReceiptPayload } from '../protocol/receipt.ts';
import type { StepText, TurnResult } from '../protocol/turn.ts';

export function toStoredEnd(turnId: TurnId, { outcome, log }: TurnResult, steps: readonly StepText[]): StoreTurnInput {
  const terminal = log.at(-1);
  const receipt = terminal !== undefined && 'receipt' in terminal ? terminal.receipt : null;
  return {
    turnId,
    outcome,
    errorCode: terminal?.type === 'turn_failed' ? terminal.error.code : null,
    answer: null,
    steps,
    log,
    receiptJson: receipt === null ? null : toCanonicalJson(receipt),
    receiptSha256: receipt === null ? null : createHash('sha256').update(toReceiptPayload(receipt)).digest('hex'),
    citations: [],
    storedAt: terminal?.time ?? new Date().toISOString(),
  };
}
