// What can be said about a receipt. One verdict each, the first of these that holds, so that a changed character, a missing
// predecessor and another key are told apart.

import type { Receipt } from '../protocol/receipt.ts';

export type Verdict =
  /** Signed by a known key, unchanged, and everything beside it fits. */
  | 'valid'
  /** The signature does not fit, or what stands in the clear is not what was signed. */
  | 'changed'
  /** The receipt is as signed; the text beside it is not the answer that it was given for. */
  | 'answer_changed'
  /** Signed by a key that is not among the known ones: nothing can be said about the content. */
  | 'unknown_key'
  /** The receipt is as signed; the one before it is not in the list. */
  | 'predecessor_missing'
  | 'unsigned'
  | 'unreadable';

export interface CheckedReceipt {
  readonly verdict: Verdict;
  /** Why; a sentence without a full stop. */
  readonly reason: string;
  /** Where it stands in the document; empty when it is all of it. */
  readonly place: string;
  /** What is claimed in the clear; `null` when nothing is. */
  readonly turnId: string | null;
  /** The field that differs; `null` unless the verdict is about one. */
  readonly field: string | null;
  /** The key that signed it, as the signature names it. */
  readonly kid: string | null;
  /** What was signed; `null` unless a known key did. */
  readonly signed: Receipt | null;
  /** The hash by which the next receipt names this one; `null` unless a known key signed it. */
  readonly receiptSha256: string | null;
  readonly answer: 'fits' | 'differs' | 'not_given';
  readonly predecessor: 'none' | 'present' | 'absent';
}

export interface Verification {
  readonly valid: boolean;
  readonly receipts: readonly CheckedReceipt[];
}
