// From what was read of a receipt to its verdict. What is in the clear is compared with what was signed, never believed.

import { createHash } from 'node:crypto';
import type { Receipt } from '../protocol/receipt.ts';
import { findDifference, type Difference } from './difference.ts';
import type { Subject, Unreadable } from './document.ts';
import { parseObject, type JsonObject } from './json.ts';
import type { Signature } from './signature.ts';
import type { CheckedReceipt } from './verdict.ts';

export interface Examined {
  readonly entry: Subject | Unreadable;
  /** `null`: there is none to read. */
  readonly signature: Signature | null;
  /** By which the next receipt may name this one: what is in the clear, and what was signed where the two differ. */
  readonly hashes: readonly string[];
}

interface Surroundings {
  readonly known: ReadonlySet<string>;
  readonly isList: boolean;
  readonly answer: Buffer | null;
}

/** The first verdict that holds. */
export function judge({ entry, signature }: Examined, { known, isList, answer }: Surroundings): CheckedReceipt {
  const { place } = entry;
  if ('unreadable' in entry) return { ...nothing, place, verdict: 'unreadable', reason: entry.unreadable };
  const { receipt, claims } = entry;
  const turnId = toText(receipt?.['turnId'] ?? claims['turnId']);
  const unproven = { ...nothing, place, turnId };
  if (receipt === null) return { ...unproven, verdict: 'unsigned', reason: 'the turn has no receipt' };
  if (signature === null) return { ...unproven, verdict: 'unsigned', reason: 'the receipt has no signature' };
  if (signature.kind === 'broken') return { ...unproven, verdict: 'changed', reason: signature.reason };
  const { kid } = signature;
  if (signature.kind === 'unknown_key') {
    return { ...unproven, kid, verdict: 'unknown_key', reason: `the key ${toShown(kid)} is not among the given ones` };
  }
  const signed = parseObject(signature.payload);
  if (signed === null || signed['version'] !== 1) {
    const reason = 'what was signed is no receipt of version 1, the only one that is known here';
    return { ...unproven, kid, verdict: 'unreadable', reason };
  }
  const { jws: _jws, ...clear } = receipt;
  const difference = findDifference(clear, signed) ?? findDifference(claims, pickAs(claims, signed));
  if (difference !== null) {
    return { ...unproven, kid, field: difference.field, verdict: 'changed', reason: toReason(difference) };
  }
  const proven = signed as unknown as Receipt;
  const checked = {
    ...unproven,
    kid,
    signed: proven,
    receiptSha256: sha256(signature.payload),
    answer: compareAnswer(proven, answer ?? entry.answer),
    predecessor: findPredecessor(proven, known),
  };
  if (checked.answer === 'differs') {
    const reason = `the text has not the SHA-256 that was signed, ${proven.answerSha256 ?? 'which is none'}`;
    return { ...checked, field: 'answerSha256', verdict: 'answer_changed', reason };
  }
  if (checked.predecessor === 'absent' && isList) {
    const reason = `the receipt before it, ${proven.previousReceiptSha256}, is not in the list`;
    return { ...checked, field: 'previousReceiptSha256', verdict: 'predecessor_missing', reason };
  }
  return { ...checked, verdict: 'valid', reason: 'it is as it was signed' };
}

const nothing = {
  turnId: null,
  field: null,
  kid: null,
  signed: null,
  receiptSha256: null,
  answer: 'not_given',
  predecessor: 'none',
} as const;

function compareAnswer(
  { answerSha256 }: Receipt,
  answer: Buffer | string | null | undefined,
): CheckedReceipt['answer'] {
  if (answer === undefined) return 'not_given';
  return (answer === null ? null : sha256(answer)) === answerSha256 ? 'fits' : 'differs';
}

function findPredecessor(
  { previousReceiptSha256: hash }: Receipt,
  known: ReadonlySet<string>,
): CheckedReceipt['predecessor'] {
  if (hash === null) return 'none';
  return known.has(hash) ? 'present' : 'absent';
}

const pickAs = (like: JsonObject, from: JsonObject): JsonObject =>
  Object.fromEntries(Object.keys(like).map((name) => [name, from[name]]));

const toReason = ({ field, found, wanted }: Difference): string =>
  `${field} ${found === undefined ? 'is missing' : `is ${toShown(found)}`}, ` +
  (wanted === undefined ? 'and was not signed' : `${toShown(wanted)} was signed`);

/** A stranger's value may be long, and may hold what a terminal would obey: JSON escapes that. */
function toShown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

const toText = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Lower-case hex; of a text over its UTF-8. */
export const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
