// Collects what the steps of a turn really did, for its receipt.

import type { AgentPlan, RetrieveAgentResult, StreamFailure, StreamResult } from '../protocol/activities.ts';
import type { AttemptRecord, Receipt } from '../protocol/receipt.ts';
import type { StepText, TurnInput, TurnResult } from '../protocol/turn.ts';

type Ready = Extract<RetrieveAgentResult, { kind: 'ready' }>;

export interface Ledger {
  readonly texts: readonly StepText[];
  agentReady(ready: Ready): void;
  answered(step: number, attempt: number, result: StreamResult): void;
  failed(step: number, attempt: number, failure: StreamFailure): void;
  receipt(outcome: TurnResult['outcome'], issuedAt: string): Receipt;
}

export function createLedger(turn: TurnInput): Ledger {
  const attempts: AttemptRecord[] = [];
  const texts: StepText[] = [];
  let ready: Ready | null = null;
  let last: StreamResult | null = null;
  let backend: string | null = null;

  return {
    texts,
    agentReady(retrieved) {
      ready = retrieved;
    },
    answered(step, attempt, result) {
      const { responseId, finishReason, usage, text, reasoning, sha256, incomplete } = result;
      // Stopped before a connection was open: the model was never called.
      if (result.outcome === 'stopped' && result.upstreamClosedAt === null) return;
      const errorCode = null;
      attempts.push({ step, attempt, outcome: result.outcome, errorCode, responseId, finishReason, usage });
      last = result;
      backend = result.backend;
      if (text !== '' || reasoning !== '') {
        texts.push({ agentId: turn.agentId, step, attempt, text, reasoning, sha256, incomplete });
      }
    },
    failed(step, attempt, failure) {
      const { responseId, finishReason, usage } = failure;
      attempts.push({
        step,
        attempt,
        outcome: 'failed',
        errorCode: failure.error.code,
        responseId,
        finishReason,
        usage,
      });
      backend = failure.backend ?? backend;
    },
    receipt: (outcome, issuedAt) => ({
      version: 1,
      turnId: turn.turnId,
      conversationId: turn.conversationId,
      agentId: turn.agentId,
      outcome,
      model: last?.model ?? null,
      backend,
      attempts: [...attempts],
      incomplete: outcome !== 'completed' || (last?.incomplete ?? false),
      promptSha256: ready?.promptSha256 ?? null,
      answerSha256: outcome === 'failed' || last === null || last.text === '' ? null : last.sha256,
      previousReceiptSha256: ready?.previousReceiptSha256 ?? null,
      issuedAt,
    }),
  };
}

/** One line for Temporal UI; numbers and names only, never the user's text. */
export const toStreamSummary = (plan: AgentPlan, step: number, attempt: number): string =>
  `step ${step}, try ${attempt} of ${plan.maxAttempts} · ${plan.model}`;
