// Writes the audit's record, once, and tells whoever watches the conversation.

import type { AuditRecord } from '../../protocol/activities.ts';
import type { AuditGraph, LiveLane } from '../../protocol/ports.ts';
import { toAuditEvent } from '../../protocol/audit.ts';
import { withFailures } from '../failures.ts';

export function createEnqueueRecord({ graph, lane }: { readonly graph: AuditGraph; readonly lane: LiveLane }) {
  return (record: Omit<AuditRecord, 'recordedAt'>): Promise<{ readonly recordedAt: string }> =>
    withFailures(async () => {
      const saved = await graph.saveAudit({ ...record, recordedAt: new Date().toISOString() });
      lane.publish(toAuditEvent(record, saved.recordedAt));
      return saved;
    });
}
