// What a verdict means for the memory of a conversation.

import type { AuditRecord } from './activities.ts';
import type { AuditCompleted, AuditFailed, AuditVerdict } from './events.ts';
import { auditFlagAbove, auditRejectAbove } from './limits.ts';

/** Above 0.85 rejected, above 0.60 flagged, else accepted; each boundary itself belongs to the milder side. */
export function toVerdict(reply: {
  readonly isIncorrect: boolean;
  readonly confidence: number;
}): Extract<AuditVerdict, 'accepted' | 'flagged' | 'rejected'> {
  if (!reply.isIncorrect) return 'accepted';
  if (reply.confidence > auditRejectAbove) return 'rejected';
  return reply.confidence > auditFlagAbove ? 'flagged' : 'accepted';
}

/** The event that tells watchers of a record. */
export function toAuditEvent(
  record: Pick<AuditRecord, 'auditId' | 'turnId' | 'conversationId' | 'verdict' | 'confidence' | 'reason' | 'error'>,
  time: string,
): AuditCompleted | AuditFailed {
  const { auditId, turnId, conversationId, verdict, confidence, reason, error } = record;
  const envelope = { auditId, turnId, conversationId, time };
  if (error !== null) return { type: 'audit_failed', ...envelope, error };
  return { type: 'audit_completed', ...envelope, verdict, confidence, reason };
}
