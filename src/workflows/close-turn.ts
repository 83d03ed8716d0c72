// The closing of a turn: sign its receipt, store, start the audit, tell the followers, end as the work ended. Nothing
// stops it any more.

import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  log as workflowLog,
  ParentClosePolicy,
  proxyActivities,
  startChild,
  upsertSearchAttributes,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { TurnActivities } from '../protocol/activities.ts';
import { closingEvents, type TerminalDraft } from '../protocol/closing.ts';
import { auditWorkflowId } from '../protocol/ids.ts';
import { withSupport } from '../protocol/tiers.ts';
import { auditType, toLogged, type AuditInput, type TurnInput, type TurnResult } from '../protocol/turn.ts';
import { activityOptions } from './activity-options.ts';
import { toTurnError } from './failures.ts';
import { errorCodeKey, outcomeKey } from './search-attributes.ts';
import { chooseSigning, type SignEnd } from './sign-end.ts';
import { now, type End, type OwnEnd, type Turn } from './turn-state.ts';

const { storeConversation: store } = proxyActivities<TurnActivities>(activityOptions.store);
const { storeConversation: record } = proxyActivities<TurnActivities>(activityOptions.record);

/** Stores, starts the audit, tells the followers, and ends as the work ended. */
export async function closeTurn(turn: Turn, end: End): Promise<TurnResult> {
  const { log, followers } = turn;
  if (end.kind === 'finished') {
    await followers.release(null);
    return settle(end.result);
  }
  const outcome = await storeEnd(turn, end, chooseSigning());
  await followers.release(turn.waitsFor);
  return settle({ outcome, log: log.events.map(toLogged) });
}

async function storeEnd(turn: Turn, end: OwnEnd, sign: SignEnd): Promise<TurnResult['outcome']> {
  const { input, log } = turn;
  const reply = end.kind === 'failed' ? null : end.reply;
  if (reply === null || reply.text === '') return recordEnd(turn, end, sign);
  const terminal = await sign(toTerminal(turn, end));
  try {
    const { storedAt } = await store.executeWithOptions({ ...activityOptions.store, summary: 'question and answer' }, [
      { ...toStoreInput(turn, terminal), answerSha256: reply.sha256, citations: reply.citations, closedAt: null },
    ]);
    const [stored, auditStarted, last] = closingEvents(input, log.events, terminal, true, storedAt);
    if (stored !== undefined) log.append(stored);
    await startAudit(input);
    if (auditStarted !== undefined) log.append(auditStarted);
    if (last !== undefined) log.append(last);
    return outcomeOf(end);
  } catch (thrown) {
    const error = withSupport(toTurnError(thrown), turn.support);
    return recordEnd(turn, { kind: 'failed', error, linked: true }, sign);
  }
}

/** Ends a turn that has no text to store. Its record is tried for a short while only: the end does not wait for it. */
async function recordEnd(turn: Turn, end: OwnEnd, sign: SignEnd): Promise<TurnResult['outcome']> {
  const { input, log } = turn;
  if (end.kind === 'failed' && log.events.at(-1)?.type !== 'agent_failed') {
    log.emit({ type: 'agent_failed', agentId: input.agentId, discardedChars: 0, error: end.error });
  }
  const terminal = await sign(toTerminal(turn, end));
  const closedAt = now();
  if (end.kind !== 'failed' || end.linked) {
    await record
      .executeWithOptions({ ...activityOptions.record, summary: 'how it ended' }, [
        { ...toStoreInput(turn, terminal), answerSha256: null, citations: [], closedAt },
      ])
      // Swallowed: red in Temporal's history, and said in the worker's log; the turn's own end is worth more than its record.
      .catch((thrown: unknown) =>
        workflowLog.warn('the end of a turn is not in the graph', { code: toTurnError(thrown).code }),
      );
  }
  for (const event of closingEvents(input, log.events, terminal, false, closedAt)) log.append(event);
  return outcomeOf(end);
}

function toStoreInput({ input, log }: Turn, terminal: TerminalDraft) {
  const { text: _text, attachments: _attachments, ...turn } = input;
  return { turn, log: log.events.map(toLogged), terminal };
}

const outcomeOf = (end: OwnEnd): TurnResult['outcome'] =>
  (({ answered: 'completed', stopped: 'cancelled', failed: 'failed' }) as const)[end.kind];

function toTerminal({ ledger, stop }: Turn, end: OwnEnd): TerminalDraft {
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
