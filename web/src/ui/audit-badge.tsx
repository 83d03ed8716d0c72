// The audit's verdict in one look; its reason is in the details.

import { LoaderCircle, ShieldAlert, ShieldCheck, ShieldOff, ShieldX } from 'lucide-react';
import type { ShownAudit } from '../turn.ts';
import { verdictLabels, verdictTones } from '../wording.ts';

const icons = {
  accepted: ShieldCheck,
  flagged: ShieldAlert,
  rejected: ShieldX,
  failed: ShieldAlert,
  not_applicable: ShieldOff,
} as const;

export function AuditBadge({ audit }: { readonly audit: ShownAudit | 'running' }) {
  if (audit === 'running') {
    return (
      <span className="badge neutral" data-testid="audit" data-verdict="running">
        <LoaderCircle size={14} className="turning" aria-hidden="true" />
        Audit runs
      </span>
    );
  }
  const Icon = icons[audit.verdict];
  return (
    <span
      className={`badge ${verdictTones[audit.verdict]}`}
      data-testid="audit"
      data-verdict={audit.verdict}
      title={audit.reason}
    >
      <Icon size={14} aria-hidden="true" />
      {verdictLabels[audit.verdict]}
    </span>
  );
}
