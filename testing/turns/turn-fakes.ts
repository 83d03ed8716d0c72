// Inputs, results and failures of the activities, as the workflows meet them.

import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type {
  AgentPlan,
  AnalyzeResult,
  AuditActivities,
  CallLlmResult,
  RetrieveAgentResult,
  StreamFailure,
  StreamResult,
  TurnActivities,
} from '../../src/protocol/activities.ts';
import { toErrorInfo, type CandorErrorOptions, type ErrorCode } from '../../src/protocol/errors.ts';
import { toPlan } from '../../src/protocol/agent-plan.ts';
import type { AgentId, ConversationId, TurnId, UserId } from '../../src/protocol/ids.ts';
import { defaultRetry, defaultTimeouts } from '../../src/protocol/limits.ts';
import type { AgentDefinition } from '../../src/protocol/ports.ts';
import { unknownUsage } from '../../src/protocol/receipt.ts';
import type { TurnInput } from '../../src/protocol/turn.ts';

export const agentId = 'operator' as AgentId;

export const newTurn = (overrides: Partial<TurnInput> = {}): TurnInput => ({
  turnId: randomUUID() as TurnId,
  conversationId: randomUUID() as ConversationId,
  userId: 'ada' as UserId,
  agentId,
  text: 'How do I restart a job?',
  parentTurnId: null,
  regenerateOf: null,
  attachments: [],
  busy: 'enqueue',
  tier: 'free',
  contentSha256: 'c'.repeat(64),
  ...overrides,
});

const { connectMs, firstTokenMs, silenceMs, turnMs } = defaultTimeouts;
export const plan: AgentPlan = {
  agentId,
  name: 'Operator',
  model: 'fake-model',
  temperature: null,
  maxTokens: null,
  maxSteps: 1,
  maxAttempts: defaultRetry.maxAttempts,
  timeouts: { connectMs, firstTokenMs, silenceMs },
  turnMs,
};

export const ready = (overrides: Partial<AgentPlan> = {}): Extract<RetrieveAgentResult, { kind: 'ready' }> => ({
  kind: 'ready',
  plan: { ...plan, ...overrides },
  parentTurnId: null,
  previousReceiptSha256: null,
  promptSha256: 'a'.repeat(64),
  context: [],
});

/** The step in front of a model call, for an agent as its file says. */
export const readyFor = (agent: AgentDefinition): RetrieveAgentResult => ready(toPlan(agent, plan.model));

export const answered = (overrides: Partial<StreamResult> = {}): StreamResult => ({
  text: 'Restart it with conman.',
  reasoning: '',
  sha256: 'b'.repeat(64),
  outcome: 'answered',
  finishReason: 'stop',
  incomplete: false,
  usage: { promptTokens: 10, completionTokens: 5, totalTokens: 15 },
  responseId: 'response-1',
  model: 'fake-model-2026',
  backend: 'http://127.0.0.1:1',
  upstreamClosedAt: null,
  charsAfterStop: null,
  citations: [],
  unsupported: [],
  ...overrides,
});

type FailureOptions = Omit<CandorErrorOptions, 'cause' | 'facts'>;

/** A failed `stream` as the activity throws it. */
export function streamFailure(
  code: ErrorCode,
  {
    shownChars = 0,
    atLeast,
    loadingMs = 0,
    ...options
  }: FailureOptions & { shownChars?: number; atLeast?: boolean; loadingMs?: number } = {},
): ApplicationFailure {
  const error = toErrorInfo(code, { ...options, facts: { model: 'fake-model', backend: 'fake', reason: 'a test' } });
  const detail: StreamFailure = {
    error,
    shownChars,
    ...(atLeast === undefined ? {} : { atLeast }),
    loadingMs,
    responseId: null,
    finishReason: null,
    usage: unknownUsage,
    backend: 'http://127.0.0.1:1',
  };
  return ApplicationFailure.create({
    message: error.message,
    type: code,
    nonRetryable: !error.retryable,
    details: [detail],
  });
}

/** A failure of any other activity. */
export function activityFailure(code: ErrorCode, options: FailureOptions = {}): ApplicationFailure {
  const error = toErrorInfo(code, { ...options, facts: { reason: 'a test' } });
  return ApplicationFailure.create({
    message: error.message,
    type: code,
    nonRetryable: !error.retryable,
    details: [error],
  });
}

export const analyzed: AnalyzeResult = {
  applicable: true,
  findings: [],
  questionSha256: 'd'.repeat(64),
  answerSha256: 'b'.repeat(64),
  contextIds: [],
};

export const judged = (isIncorrect: boolean, confidence: number): CallLlmResult => ({
  isIncorrect,
  confidence,
  reason: 'checked',
  model: 'fake-auditor',
  responseId: null,
  usage: unknownUsage,
});

/** A turn that meets no trouble. */
export const defaultActivities: TurnActivities & AuditActivities = {
  retrieveAgent: async () => ready(),
  stream: async () => answered(),
  signReceipt: async ({ outcome }) => ({ jws: `signature of a ${outcome} turn` }),
  storeConversation: async ({ closedAt }) => ({ storedAt: closedAt ?? new Date().toISOString() }),
  analyze: async () => analyzed,
  callLlm: async () => judged(false, 0.1),
  enqueueRecord: async () => ({ recordedAt: new Date().toISOString() }),
};

/** Results given one after the other; an Error among them is thrown. The last one stays. */
export function inTurn<Outcomes extends readonly unknown[]>(...outcomes: Outcomes) {
  let next = 0;
  return async (): Promise<Exclude<Outcomes[number], Error>> => {
    const outcome = outcomes[Math.min(next++, outcomes.length - 1)];
    if (outcome instanceof Error) throw outcome;
    return outcome as Exclude<Outcomes[number], Error>;
  };
}

export interface Gate {
  /** For the activity: says that it is there and waits for the test. */
  pass(): Promise<void>;
  /** For the test: the activity is there. */
  readonly reached: Promise<void>;
  open(): void;
}

export function createGate(): Gate {
  let open: () => void = () => undefined;
  let reach: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const reached = new Promise<void>((resolve) => (reach = resolve));
  return {
    pass: () => {
      reach();
      return opened;
    },
    reached,
    open,
  };
}

/** A model call that goes on until it is asked to stop, and then returns what it has. */
export function streamUntilStopped(reply: Partial<StreamResult> = {}) {
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  return {
    begun,
    stream: async (): Promise<StreamResult> => {
      const context = Context.current();
      const timer = setInterval(() => context.heartbeat(), 50);
      begin();
      try {
        return await context.cancelled;
      } catch (error) {
        if (!(error instanceof CancelledFailure)) throw error;
        return answered({ outcome: 'stopped', incomplete: true, finishReason: null, text: 'Restart', ...reply });
      } finally {
        clearInterval(timer);
      }
    },
  };
}
