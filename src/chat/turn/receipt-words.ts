// What the receipt says in a line, and the hash by which the next receipt of the conversation names it.

import { createHash } from 'node:crypto';
import { toReceiptPayload, type Receipt } from '../../protocol/receipt.ts';
import { toOneLine } from '../text/control-filter.ts';
import { count, known } from './wording.ts';

/** Lower-case hex over the signed payload. */
export function receiptSha256(receipt: Receipt): string {
  const signed = receipt.jws?.split('.')[1];
  const payload = signed === undefined ? Buffer.from(toReceiptPayload(receipt)) : Buffer.from(signed, 'base64url');
  return createHash('sha256').update(payload).digest('hex');
}

/** Model, tries, tokens of all of them, the first letters of the hash. */
export function receiptWords(receipt: Receipt): string {
  const { model, attempts } = receipt;
  const total = (name: 'promptTokens' | 'completionTokens'): number | null =>
    attempts.reduce<number | null>(
      (sum, { usage }) => (sum === null || usage[name] === null ? null : sum + usage[name]),
      attempts.length === 0 ? null : 0,
    );
  const tokens = `${known(total('promptTokens'))} → ${known(total('completionTokens'))} tokens`;
  const signed = receipt.jws === undefined ? 'unsigned receipt' : 'receipt';
  const calls = count(attempts.length, 'call');
  return [toOneLine(model ?? 'no model', 80), calls, tokens, `${signed} ${receiptSha256(receipt).slice(0, 12)}`].join(
    ' · ',
  );
}
