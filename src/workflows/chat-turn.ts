// A turn of a conversation, as the specification tells it: accept, retrieve the agent, wait for the conversation,
// stream the model's reply, store, start the audit, end. Orchestration only: what is decided here is decided by the
// named functions beside it, and what touches the world is an activity.

import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { RetrieveAgentResult, StreamResult, TurnActivities } from '../protocol/activities.ts';
import { closingEvents, type TerminalDraft } from '../protocol/closing.ts';
import { toErrorInfo, type ErrorInfo } from '../protocol/errors.ts';
import { auditWorkflowId, type TurnId } from '../protocol/ids.ts';
import { maxQueueWaitMs } from '../protocol/limits.ts';
import { auditType, toLogged, type AuditInput, type TurnInput, type TurnResult } from '../protocol/turn.ts';
import { activityOptions } from './activity-options.ts';
import { logQuery, stepTextsQuery } from './definitions.ts';
import { createEventLog, type EventLog } from './event-log.ts';
import { toFailure, toStreamFailure, toTurnError } from './failures.ts';
import { createFollowers, type Followers } from './followers.ts';
import { createLedger, toStreamSummary, type Ledger } from './receipt.ts';
import { nextRetryMs } from './retry-schedule.ts';
import { errorCodeKey, outcomeKey } from './search-attributes.ts';
import { createStop, type Stop } from './stop.ts';

const { retrieveAgent } = proxyActivities<TurnActivities>(activityOptions.retrieveAgent);
const { stream } = proxyActivities<TurnActivities>(activityOptions.stream);
const { storeConversation: store } = proxyActivities<TurnActivities>(activityOptions.store);
const { storeConversation: record } = proxyActivities<TurnActivities>(activityOptions.record);

type Ready = Extract<RetrieveAgentResult, { kind: 'ready' }>;

/** How the work of a turn ended; its closing turns this into the terminal event. */
type End =
  | { readonly kind: 'answered'; readonly reply: StreamResult }
  | { readonly kind: 'stopped'; readonly reply: StreamResult | null }
  | { readonly kind: 'failed'; readonly error: ErrorInfo; readonly linked: boolean }
  | { readonly kind: 'finished'; readonly result: TurnResult };

interface Turn {
  readonly input: TurnInput;
  readonly log: EventLog;
  readonly ledger: Ledger;
  readonly stop: Stop;
  readonly followers: Followers;
  /** The turn this one waits for; whom to pass on when it is withdrawn. */
  waitsFor: TurnId | null;
}

const now = (): string => new Date().toISOString();

export async function ChatTurn(input: TurnInput): Promise<TurnResult> {
  const turn: Turn = {
    input,
    log: createEventLog(input, now),
    ledger: createLedger(input),
    stop: createStop(now),
    followers: createFollowers(input.turnId),
    waitsFor: null,
  };
  setHandler(logQuery, () => ({ log: turn.log.events, texts: turn.ledger.texts }));
  setHandler(stepTextsQuery, () => turn.ledger.texts);

  const { agentId, text, parentTurnId } = input;
  turn.log.emit({ type: 'turn_accepted', agentId, text, ...(parentTurnId === null ? {} : { parentTurnId }) });
  const end = (await turn.stop.run(() => work(turn))) ?? ({ kind: 'stopped', reply: null } as const);
  return CancellationScope.nonCancellable(() => close(turn, end));
}

async function work(turn: Turn): Promise<End> {
  const ready = await retrieve(turn);
  if (ready.kind !== 'ready') return ready;
  try {
    return await answer(turn, ready);
  } catch (thrown) {
    // The log's own limit: it ends the turn as a failure of it. A bug is not caught, it retries the workflow task.
    if (!(thrown instanceof ApplicationFailure)) throw thrown;
    return { kind: 'failed', error: toTurnError(thrown), linked: true };
  }
}

/** Retrieves the agent, waiting as long as the conversation is busy with earlier turns. */
async function retrieve(turn: Turn): Promise<Ready | End> {
  let released: TurnId | null = null;
  let releasedIsGone = false;
  const untilMs = Date.now() + maxQueueWaitMs;
  try {
    for (;;) {
      const retrieved = await retrieveAgent.executeWithOptions(
        { ...activityOptions.retrieveAgent, summary: `agent ${turn.input.agentId}` },
        [{ turn: turn.input, released, releasedIsGone }],
      );
      if (retrieved.kind === 'finished') return retrieved;
      // Asked to stop while the graph was at it: nothing that follows has begun.
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('stopped while retrieving');
      if (retrieved.kind === 'ready') return retrieved;
      if (turn.input.busy === 'reject') {
        // The graph's head is a hint: only a turn that the engine knows as open makes the conversation busy.
        if (!(await turn.followers.isGone(retrieved.behind))) {
          return { kind: 'failed', error: toErrorInfo('conversation_busy'), linked: false };
        }
        [released, releasedIsGone] = [retrieved.behind, true];
      } else {
        [released, releasedIsGone] = await waitForRelease(turn, retrieved.behind, untilMs);
      }
    }
  } catch (thrown) {
    if (CancellationScope.current().consideredCancelled) throw thrown;
    const error = toTurnError(thrown);
    return { kind: 'failed', error, linked: !neverLinked.has(error.code) };
  }
}

/** Failures of linking itself: the turn is not part of the conversation and leaves nothing in it. */
const neverLinked = new Set<string>(['conversation_not_found', 'turn_not_found', 'turn_conflict', 'conversation_busy']);

async function waitForRelease(turn: Turn, behind: TurnId, untilMs: number): Promise<[TurnId, boolean]> {
  const { input, followers, log, stop } = turn;
  const interrupt = input.busy === 'interrupt' ? { byTurnId: input.turnId, requestedAt: now() } : null;
  stop.enter('queued');
  for (let target = behind; ;) {
    turn.waitsFor = target;
    log.emit({ type: 'turn_queued', behind: target });
    const end = await followers.waitFor(target, interrupt, untilMs);
    if (end === 'late') throw toFailure(toErrorInfo('turn_timeout', { facts: { seconds: maxQueueWaitMs / 1_000 } }));
    if (end.waitFor === null) {
      turn.waitsFor = null;
      stop.enter('working');
      return [target, end.gone];
    }
    target = end.waitFor;
  }
}

/** A call that begins just before the deadline may still say what it has to say. */
const minCallMs = 1_000;

/** Calls the model until it answers, a person stops it, or its tries are used up. */
async function answer(turn: Turn, { plan, promptSha256, context, ...ready }: Ready): Promise<End> {
  const { input, log, ledger, stop } = turn;
  const { turnId, conversationId } = input;
  const { agentId, model, temperature, maxTokens, timeouts, maxAttempts } = plan;
  ledger.agentReady({ plan, promptSha256, context, ...ready });
  log.emit({ type: 'agent_started', agentId, model, context });
  const step = 1;
  let deadline = Date.now() + plan.turnMs;
  for (let attempt = 1; ; attempt++) {
    const after = log.emit({ type: 'agent_thinking', agentId, step, attempt, maxAttempts, model });
    try {
      const reply = await stream.executeWithOptions(
        { ...activityOptions.stream, summary: toStreamSummary(plan, step, attempt) },
        [
          {
            turnId,
            conversationId,
            agentId,
            step,
            attempt,
            after,
            promptSha256,
            model,
            temperature,
            maxTokens,
            timeouts,
            remainingMs: Math.max(minCallMs, deadline - Date.now()),
          },
        ],
      );
      ledger.answered(step, attempt, reply);
      if (reply.outcome === 'stopped') return { kind: 'stopped', reply };
      const { text, finishReason, incomplete, citations, unsupported, usage, sha256 } = reply;
      log.emit({
        type: 'agent_completed',
        ...{ agentId, step, attempt, text, incomplete, citations, unsupported, usage, sha256 },
        finishReason: finishReason ?? 'unknown',
      });
      return { kind: 'answered', reply };
    } catch (thrown) {
      const failure = toStreamFailure(thrown);
      if (stop.asked !== null || CancellationScope.current().consideredCancelled) {
        // A call that broke while it was being stopped was made all the same: the receipt lists it.
        if (!isCancellation(thrown)) ledger.failed(step, attempt, failure);
        throw thrown;
      }
      ledger.failed(step, attempt, failure);
      deadline += failure.loadingMs;
      const error = { ...failure.error, attempt };
      const discarded = { discardedChars: failure.shownChars, ...(failure.atLeast ? { atLeast: true as const } : {}) };
      const waitMs = nextRetryMs({
        error,
        attempt,
        maxAttempts,
        remainingMs: deadline - Date.now(),
        random: Math.random(),
      });
      if (waitMs === null) {
        log.emit({ type: 'agent_failed', agentId, step, attempt, ...discarded, error });
        return { kind: 'failed', error, linked: true };
      }
      const retryAt = new Date(Date.now() + waitMs).toISOString();
      log.emit({ type: 'attempt_failed', agentId, step, attempt, maxAttempts, error, retryAt, ...discarded });
      if (waitMs > 0) await sleep(waitMs, { summary: `wait before try ${attempt + 1}` });
    }
  }
}

/** Stores, starts the audit, tells the followers, and ends as the work ended. */
async function close(turn: Turn, end: End): Promise<TurnResult> {
  const { input, log, followers } = turn;
  if (end.kind === 'finished') {
    await followers.release(null);
    return settle(end.result);
  }
  const outcome = await storeEnd(turn, end);
  await followers.release(turn.waitsFor);
  return settle({ outcome, log: log.events.map(toLogged) });

  async function storeEnd(turn: Turn, end: Exclude<End, { kind: 'finished' }>): Promise<TurnResult['outcome']> {
    const reply = end.kind === 'failed' ? null : end.reply;
    if (reply === null || reply.text === '') return recordEnd(turn, end);
    const terminal = toTerminal(turn, end);
    try {
      const { storedAt } = await store.executeWithOptions(
        { ...activityOptions.store, summary: 'question and answer' },
        [{ ...toStoreInput(turn, terminal), answerSha256: reply.sha256, citations: reply.citations, closedAt: null }],
      );
      const [stored, auditStarted, last] = closingEvents(input, log.events, terminal, true, storedAt);
      if (stored !== undefined) log.append(stored);
      await startAudit(input);
      if (auditStarted !== undefined) log.append(auditStarted);
      if (last !== undefined) log.append(last);
      return outcomeOf(end);
    } catch (thrown) {
      return recordEnd(turn, { kind: 'failed', error: toTurnError(thrown), linked: true });
    }
  }
}

/** Ends a turn that has no text to store. Its record is tried for a short while only: the end does not wait for it. */
async function recordEnd(turn: Turn, end: Exclude<End, { kind: 'finished' }>): Promise<TurnResult['outcome']> {
  const { input, log } = turn;
  if (end.kind === 'failed' && log.events.at(-1)?.type !== 'agent_failed') {
    log.emit({ type: 'agent_failed', agentId: input.agentId, discardedChars: 0, error: end.error });
  }
  const terminal = toTerminal(turn, end);
  const closedAt = now();
  if (end.kind !== 'failed' || end.linked) {
    await record
      .executeWithOptions({ ...activityOptions.record, summary: 'how it ended' }, [
        { ...toStoreInput(turn, terminal), answerSha256: null, citations: [], closedAt },
      ])
      .catch(toTurnError);
  }
  for (const event of closingEvents(input, log.events, terminal, false, closedAt)) log.append(event);
  return outcomeOf(end);
}

function toStoreInput({ input, log }: Turn, terminal: TerminalDraft) {
  const { text: _text, attachments: _attachments, ...turn } = input;
  return { turn, log: log.events.map(toLogged), terminal };
}

const outcomeOf = (end: Exclude<End, { kind: 'finished' }>): TurnResult['outcome'] =>
  (({ answered: 'completed', stopped: 'cancelled', failed: 'failed' }) as const)[end.kind];

function toTerminal({ ledger, stop }: Turn, end: Exclude<End, { kind: 'finished' }>): TerminalDraft {
  const receipt = ledger.receipt(outcomeOf(end), now());
  switch (end.kind) {
    case 'answered':
      return { type: 'turn_completed', receipt };
    case 'failed':
      return { type: 'turn_failed', error: end.error, receipt };
    case 'stopped': {
      const { by, requestedAt } = stop.asked ?? { by: 'operator' as const, requestedAt: now() };
      const { upstreamClosedAt, charsAfterStop } = end.reply ?? { upstreamClosedAt: null, charsAfterStop: null };
      return { type: 'turn_cancelled', by, requestedAt, upstreamClosedAt, charsAfterStop, receipt };
    }
  }
}

async function startAudit({ turnId, conversationId, userId, agentId }: TurnInput): Promise<void> {
  const auditId = auditWorkflowId(turnId);
  const audit: AuditInput = { auditId, turnId, conversationId, userId, agentId };
  try {
    await startChild(auditType, {
      workflowId: auditId,
      args: [audit],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: `audit of ${turnId}`,
    });
  } catch (error) {
    // It was started before, by this turn's earlier life or by a sweep: that is what was wanted.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Closes the workflow: a failed turn fails it, so that Temporal UI shows it red. */
async function settle(result: TurnResult): Promise<TurnResult> {
  const last = result.log.at(-1);
  const error = last?.type === 'turn_failed' ? last.error : null;
  upsertSearchAttributes([
    { key: outcomeKey, value: result.outcome },
    ...(error === null ? [] : [{ key: errorCodeKey, value: error.code }]),
  ]);
  await condition(allHandlersFinished);
  if (error === null) return result;
  throw ApplicationFailure.create({
    message: error.message,
    type: error.code,
    nonRetryable: true,
    details: [result],
  });
}
