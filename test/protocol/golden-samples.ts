// One of everything that crosses the wire, complete: optional fields are there, so that a renamed one shows in the golden
// file. The compiler demands a sample for each type of the contract.

import { toErrorInfo } from '../../src/protocol/errors.ts';
import type { TurnEvent } from '../../src/protocol/events.ts';
import type { ClientFrame, ServerFrame } from '../../src/protocol/frames.ts';
import type { AgentId, AuditId, ConversationId, TurnId, UserId } from '../../src/protocol/ids.ts';
import type { Receipt } from '../../src/protocol/receipt.ts';

const turnId = '6f1f9df0-5e0b-4c0c-9d5f-0a4f6d0b1a01' as TurnId;
const earlierTurnId = '6f1f9df0-5e0b-4c0c-9d5f-0a4f6d0b1a00' as TurnId;
const conversationId = 'b3f0c0de-0000-4000-8000-000000000001' as ConversationId;
const auditId = `audit/${turnId}` as AuditId;
const agentId = 'operator' as AgentId;
const time = '2026-03-01T12:00:00.000Z';
const later = '2026-03-01T12:00:01.000Z';
const sha256 = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9';
const place = { turnId, conversationId, time };
const call = { agentId, step: 1, attempt: 1 };
const usage = { promptTokens: 290, completionTokens: 2, totalTokens: 292 };
const error = {
  ...toErrorInfo('llm_rate_limited', {
    facts: { model: 'gpt-5-mini', backend: 'https://api.openai.com' },
    retryAfterMs: 1_000,
    upstream: { status: 429, requestId: 'req_7' },
  }),
  attempt: 1,
};
const receipt: Receipt = {
  version: 1,
  turnId,
  conversationId,
  agentId,
  outcome: 'completed',
  model: 'gpt-5-mini-2026-01-01',
  backend: 'https://api.openai.com',
  attempts: [
    {
      ...{ step: 1, attempt: 1, outcome: 'answered', errorCode: null },
      responseId: 'r_1',
      finishReason: 'stop',
      usage,
    },
  ],
  incomplete: false,
  promptSha256: sha256,
  answerSha256: sha256,
  previousReceiptSha256: null,
  issuedAt: time,
  jws: 'eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl',
};

type Samples<Union extends { readonly type: string }> = {
  readonly [Type in Union['type']]: Extract<Union, { readonly type: Type }>;
};

export const events: Samples<TurnEvent> = {
  turn_accepted: { type: 'turn_accepted', ...place, seq: 1, agentId, text: 'How do I?', parentTurnId: earlierTurnId },
  turn_queued: { type: 'turn_queued', ...place, seq: 2, behind: earlierTurnId },
  agent_started: {
    ...{ type: 'agent_started', ...place, seq: 3, agentId, model: 'gpt-5-mini', parentAgentId: 'lead' as AgentId },
    context: [{ id: 'runbook#restart', source: 'runbook.md', score: 4.25 }],
  },
  agent_thinking: {
    ...{ type: 'agent_thinking', ...place, seq: 4, ...call, maxAttempts: 4, model: 'gpt-5-mini', reasoning: 'First …' },
  },
  delta: { type: 'delta', ...place, ...call, channel: 'answer', offset: 6, text: 'world', after: 4 },
  attempt_failed: {
    ...{ type: 'attempt_failed', ...place, seq: 5, ...call, maxAttempts: 4, error, retryAt: later },
    ...{ discardedChars: 11, atLeast: true },
  },
  agent_completed: {
    ...{ type: 'agent_completed', ...place, seq: 5, ...call, text: 'hello world', reasoningChars: 24 },
    ...{ finishReason: 'stop', incomplete: false, citations: [{ id: 'runbook#restart', source: 'runbook.md' }] },
    unsupported: ['other.md'],
    ...{ usage, sha256 },
  },
  agent_failed: { type: 'agent_failed', ...place, seq: 5, ...call, discardedChars: 11, atLeast: true, error },
  conversation_stored: { type: 'conversation_stored', ...place, seq: 6, storedAt: time },
  audit_started: { type: 'audit_started', ...place, seq: 7, auditId },
  turn_completed: { type: 'turn_completed', ...place, seq: 8, receipt },
  turn_failed: { type: 'turn_failed', ...place, seq: 6, error, receipt: { ...receipt, outcome: 'failed' } },
  turn_cancelled: {
    ...{ type: 'turn_cancelled', ...place, seq: 8, by: 'user', requestedAt: time, upstreamClosedAt: later },
    ...{ charsAfterStop: 12, receipt: { ...receipt, outcome: 'cancelled' } },
  },
  waiting: { type: 'waiting', ...place, reason: 'model_loading', since: time, until: later },
  audit_completed: {
    type: 'audit_completed',
    ...place,
    auditId,
    verdict: 'flagged',
    confidence: 0.7,
    reason: 'No source.',
  },
  audit_failed: { type: 'audit_failed', ...place, auditId, error },
};

export const clientFrames: Samples<ClientFrame> = {
  message: {
    ...{ type: 'message', turnId, conversationId, text: 'How do I?', busy: 'enqueue', parentTurnId: earlierTurnId },
    ...{ regenerateOf: earlierTurnId, attachments: [{ name: 'job.log', mediaType: 'text/plain', text: 'ABEND' }] },
  },
  resume: {
    type: 'resume',
    turnId,
    cursor: { seq: 4, streams: [{ step: 1, attempt: 1, channel: 'answer', offset: 6 }] },
  },
  cancel: { type: 'cancel', turnId },
  withdraw: { type: 'withdraw', turnId },
  watch: { type: 'watch', conversationId },
  unwatch: { type: 'unwatch', conversationId },
  auth: { type: 'auth', token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln' },
};

export const serverFrames: Samples<Exclude<ServerFrame, TurnEvent>> = {
  hello: { type: 'hello', protocol: 'candor.v1', agentId, user: 'ada' as UserId },
  conversation: { type: 'conversation', conversationId, turns: [{ turnId, state: 'running' }] },
  agents_changed: {
    type: 'agents_changed',
    agents: [{ id: agentId, name: 'Operator', description: 'Answers about jobs.', model: 'gpt-5-mini' }],
  },
  error: { type: 'error', error: toErrorInfo('turn_conflict'), inReplyTo: turnId },
};
