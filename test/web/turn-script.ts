// Events of one turn in their order, for tests that need a genuine log.

import type { Delta, SequencedEvent } from '../../src/protocol/events.ts';
import { toErrorInfo } from '../../src/protocol/errors.ts';
import { auditWorkflowId, type AgentId, type ConversationId, type TurnId } from '../../src/protocol/ids.ts';
import { unknownUsage, type Receipt } from '../../src/protocol/receipt.ts';

export const agentId = 'operator' as AgentId;
const time = '2026-01-02T03:04:05.000Z';

/** Builds events of one turn; `seq` is counted here, so the order of calls is the order of the log. */
export function createTurnScript(turnId: TurnId, conversationId: ConversationId) {
  let seq = 0;
  const envelope = { turnId, conversationId, time };
  const next = () => ({ ...envelope, seq: (seq += 1) });
  const receipt = (outcome: Receipt['outcome']): Receipt => ({
    version: 1,
    turnId,
    conversationId,
    agentId,
    outcome,
    model: 'test-model',
    backend: 'http://127.0.0.1',
    attempts: [],
    incomplete: false,
    promptSha256: null,
    answerSha256: null,
    previousReceiptSha256: null,
    issuedAt: time,
  });
  return {
    accepted: (text: string): SequencedEvent => ({ type: 'turn_accepted', ...next(), agentId, text }),
    queued: (behind: TurnId): SequencedEvent => ({ type: 'turn_queued', ...next(), behind }),
    started: (): SequencedEvent => ({
      type: 'agent_started',
      ...next(),
      agentId,
      model: 'test-model',
      context: [{ id: 'runbook#1', source: 'Runbook', score: 2.5 }],
    }),
    thinking: (attempt = 1): SequencedEvent => ({
      type: 'agent_thinking',
      ...next(),
      agentId,
      step: 1,
      attempt,
      maxAttempts: 4,
      model: 'test-model',
    }),
    delta: (offset: number, text: string, attempt = 1): Delta => ({
      type: 'delta',
      ...envelope,
      agentId,
      step: 1,
      attempt,
      channel: 'answer',
      offset,
      text,
      after: seq,
    }),
    attemptFailed: (attempt: number, discardedChars: number): SequencedEvent => ({
      type: 'attempt_failed',
      ...next(),
      agentId,
      step: 1,
      attempt,
      maxAttempts: 4,
      error: toErrorInfo('llm_stream_truncated', { facts: { model: 'test-model', backend: 'test' } }),
      retryAt: '2026-01-02T03:04:09.000Z',
      discardedChars,
    }),
    answered: (text: string, attempt = 1): SequencedEvent => ({
      type: 'agent_completed',
      ...next(),
      agentId,
      step: 1,
      attempt,
      text,
      finishReason: 'stop',
      incomplete: false,
      citations: [{ id: 'runbook#1', source: 'Runbook' }],
      unsupported: [],
      usage: unknownUsage,
      sha256: '',
    }),
    stored: (): SequencedEvent => ({ type: 'conversation_stored', ...next(), storedAt: time }),
    auditStarted: (): SequencedEvent => ({ type: 'audit_started', ...next(), auditId: auditWorkflowId(turnId) }),
    completed: (): SequencedEvent => ({ type: 'turn_completed', ...next(), receipt: receipt('completed') }),
    cancelled: (): SequencedEvent => ({
      type: 'turn_cancelled',
      ...next(),
      by: 'user',
      requestedAt: time,
      upstreamClosedAt: null,
      charsAfterStop: null,
      receipt: receipt('cancelled'),
    }),
  };
}
