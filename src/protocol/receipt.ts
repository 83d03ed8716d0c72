// The receipt of an answer: what was really called, how often, and what came of it. Built by the workflow from the
// results of its steps, so that it cannot say more than the history does.

import { toCanonicalJson } from './canonical.ts';
import type { AgentId, ConversationId, TurnId } from './ids.ts';
import type { ErrorCode } from './errors.ts';

/** Tokens as the backend counted them; `null` when it did not say, never 0 in its place. */
export interface Usage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly totalTokens: number | null;
}

export const unknownUsage: Usage = { promptTokens: null, completionTokens: null, totalTokens: null };

export interface AttemptRecord {
  readonly step: number;
  readonly attempt: number;
  readonly outcome: 'answered' | 'failed' | 'stopped';
  readonly errorCode: ErrorCode | null;
  readonly responseId: string | null;
  readonly finishReason: string | null;
  readonly usage: Usage;
}

export interface Receipt {
  readonly version: 1;
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly agentId: AgentId;
  readonly outcome: 'completed' | 'failed' | 'cancelled';
  /** Model as the backend named it in its reply; `null` when no reply came. */
  readonly model: string | null;
  /** Origin of the backend's address, without credentials. */
  readonly backend: string | null;
  readonly attempts: readonly AttemptRecord[];
  readonly incomplete: boolean;
  /** Lower-case hex over UTF-8; `null` when there is none. */
  readonly promptSha256: string | null;
  readonly answerSha256: string | null;
  /** SHA-256 over the canonical JSON, without `jws`, of the receipt of the turn that this one answers to; `null`: the first. */
  readonly previousReceiptSha256: string | null;
  readonly issuedAt: string;
  /**
   * Compact JWS (RFC 7515, EdDSA with Ed25519) whose payload is the canonical JSON of this receipt without this field.
   * Absent in a receipt of a version that did not sign.
   */
  readonly jws?: string;
}

/** The `typ` of a receipt's signature: a key that signs something else as well can never pass it off as a receipt. */
export const receiptType = 'candor-receipt+jws';

/** What is signed and what is hashed: the receipt's canonical JSON without its signature. */
export function toReceiptPayload({ jws: _jws, ...receipt }: Receipt): string {
  return toCanonicalJson(receipt);
}

/** A public key that receipts are signed with, as a JSON Web Key (RFC 7517, RFC 8037). */
export interface ReceiptKeyJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  /** The key itself, base64url. */
  readonly x: string;
  /** RFC 7638 thumbprint of the key, base64url. */
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}
