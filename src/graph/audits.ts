// Records of audits. The first record of an audit stays: a second one could only come from a retry whose model answered
// differently, and the verdict that was told to watchers must be the one that is kept.

import type { AuditGraph } from '../protocol/ports.ts';
import type { Database } from './database.ts';

// Under the conversation's lock: a record that came while its owner deletes the conversation would outlive it.
const save = `
MATCH (:Turn {id: $turnId})<-[:HAS]-(c:Conversation)
SET c.lock = $auditId
WITH c
MATCH (c)-[:HAS]->(t:Turn {id: $turnId})
MERGE (a:AuditRecord {id: $auditId})
  ON CREATE SET a += $record
MERGE (a)-[:AUDITS]->(t)
RETURN a.recordedAt AS recordedAt`;

export function createAudits(database: Database): Pick<AuditGraph, 'saveAudit'> {
  return {
    /** A turn that its owner has deleted gets no record: it would quote what was deleted. */
    async saveAudit(record) {
      const { auditId, turnId, findings, error, usage, ...plain } = record;
      const [row] = await database.write<{ recordedAt: string }>(save, {
        auditId,
        turnId,
        record: {
          ...plain,
          turnId,
          findingsJson: JSON.stringify(findings),
          errorJson: error === null ? null : JSON.stringify(error),
          usageJson: usage === null ? null : JSON.stringify(usage),
        },
      });
      return { recordedAt: row?.recordedAt ?? record.recordedAt };
    },
  };
}
