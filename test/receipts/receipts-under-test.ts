// Receipts that a worker could have given, signed by keys of the test.

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import type { AgentId, ConversationId, TurnId } from '../../src/protocol/ids.ts';
import type { ReceiptSigner } from '../../src/protocol/ports.ts';
import { toReceiptPayload, unknownUsage, type Receipt } from '../../src/protocol/receipt.ts';
import { loadReceiptKey, receiptKeyFile } from '../../src/receipts/receipt-key.ts';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'candor-receipts-'));
  folders.push(folder);
  return folder;
}

export const newSigner = async (): Promise<ReceiptSigner> => loadReceiptKey(join(await newFolder(), receiptKeyFile));

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const answer = 'By `conman "rerun"` – 🙂 [RB-001].';

/** A receipt of a turn whose first call failed. */
export const newReceipt = (overrides: Partial<Receipt> = {}): Receipt => ({
  version: 1,
  turnId: '5f0d3c1e-3f0a-4a77-9a6e-3d1f6b2c4e01' as TurnId,
  conversationId: '5f0d3c1e-3f0a-4a77-9a6e-3d1f6b2c4e02' as ConversationId,
  agentId: 'operator' as AgentId,
  outcome: 'completed',
  model: 'wire-model',
  backend: 'http://127.0.0.1:8081',
  attempts: [
    {
      ...{ step: 1, attempt: 1, outcome: 'failed', errorCode: 'llm_unavailable', responseId: null, finishReason: null },
      usage: unknownUsage,
    },
    {
      ...{ step: 1, attempt: 2, outcome: 'answered', errorCode: null, responseId: 'chatcmpl-1', finishReason: 'stop' },
      usage: { promptTokens: 120, completionTokens: 9, totalTokens: 129 },
    },
  ],
  incomplete: false,
  promptSha256: 'a'.repeat(64),
  answerSha256: sha256(answer),
  previousReceiptSha256: null,
  issuedAt: '2026-01-02T03:04:05.678Z',
  ...overrides,
});

export const sign = async (signer: ReceiptSigner, receipt: Receipt): Promise<Receipt> => ({
  ...receipt,
  jws: await signer.sign(receipt),
});

/** Receipts of turns that answer to each other, oldest first. */
export async function signChain(signer: ReceiptSigner, length: number): Promise<Receipt[]> {
  const chain: Receipt[] = [];
  for (let at = 0; at < length; at++) {
    const before = chain.at(-1);
    const turnId = `5f0d3c1e-3f0a-4a77-9a6e-3d1f6b2c4f${at.toString().padStart(2, '0')}` as TurnId;
    const previousReceiptSha256 = before === undefined ? null : sha256(toReceiptPayload(before));
    chain.push(await sign(signer, newReceipt({ turnId, previousReceiptSha256 })));
  }
  return chain;
}
