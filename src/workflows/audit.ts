// The audit of one turn, outside the user's wait: collect, ask a model, enqueue the record. A failure keeps its own
// face: the record says `failed`, and the workflow fails with the code.

import { CancellationScope, isCancellation, proxyActivities, upsertSearchAttributes } from '@temporalio/workflow';
import type { AnalyzeResult, AuditActivities, AuditRecord, CallLlmResult } from '../protocol/activities.ts';
import { toVerdict } from '../protocol/audit.ts';
import { toErrorInfo, type ErrorInfo } from '../protocol/errors.ts';
import type { AuditVerdict } from '../protocol/events.ts';
import type { AuditInput } from '../protocol/turn.ts';
import { activityOptions } from './activity-options.ts';
import { toFailure, toTurnError } from './failures.ts';
import { auditConfidenceKey, auditVerdictKey, errorCodeKey } from './search-attributes.ts';

const { analyze } = proxyActivities<AuditActivities>(activityOptions.analyze);
const { callLlm } = proxyActivities<AuditActivities>(activityOptions.callLlm);
const { enqueueRecord } = proxyActivities<AuditActivities>(activityOptions.enqueueRecord);

export interface AuditResult {
  readonly verdict: AuditVerdict;
  readonly confidence: number | null;
  readonly reason: string;
}

export async function Audit(audit: AuditInput): Promise<AuditResult> {
  const record = await judge(audit);
  const { verdict, confidence, reason, error } = record;
  upsertSearchAttributes([
    { key: auditVerdictKey, value: verdict },
    ...(confidence === null ? [] : [{ key: auditConfidenceKey, value: confidence }]),
    ...(error === null ? [] : [{ key: errorCodeKey, value: error.code }]),
  ]);
  // An audit that was cancelled in Temporal has a record too: nobody may wait for a verdict that never comes.
  await CancellationScope.nonCancellable(() =>
    enqueueRecord.executeWithOptions({ ...activityOptions.enqueueRecord, summary: `verdict ${verdict}` }, [record]),
  );
  if (error === null) return { verdict, confidence, reason };
  throw toFailure(error);
}

async function judge(audit: AuditInput): Promise<Omit<AuditRecord, 'recordedAt'>> {
  let found: AnalyzeResult | null = null;
  try {
    found = await analyze.executeWithOptions({ ...activityOptions.analyze, summary: 'collect the turn' }, [audit]);
    const { applicable, findings, answerSha256 } = found;
    if (!applicable || answerSha256 === null) return toRecord(audit, found, null, null);
    const reply = await callLlm.executeWithOptions({ ...activityOptions.callLlm, summary: 'ask the auditor' }, [
      { audit, findings, answerSha256 },
    ]);
    return toRecord(audit, found, reply, null);
  } catch (thrown) {
    const error = isCancellation(thrown)
      ? toErrorInfo('internal', { facts: { reason: 'the audit was cancelled' } })
      : toTurnError(thrown);
    return toRecord(audit, found, null, error);
  }
}

function toRecord(
  audit: AuditInput,
  found: AnalyzeResult | null,
  reply: CallLlmResult | null,
  error: ErrorInfo | null,
): Omit<AuditRecord, 'recordedAt'> {
  return {
    ...audit,
    verdict: error !== null ? 'failed' : reply === null ? 'not_applicable' : toVerdict(reply),
    confidence: reply?.confidence ?? null,
    reason: error?.message ?? reply?.reason ?? 'The turn has no text of a model.',
    isIncorrect: reply?.isIncorrect ?? null,
    findings: found?.findings ?? [],
    error,
    model: reply?.model ?? null,
    responseId: reply?.responseId ?? null,
    usage: reply?.usage ?? null,
  };
}
