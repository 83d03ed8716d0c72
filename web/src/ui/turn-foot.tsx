// The line under an answer: where the turn stands, its verdict, and the way to everything behind it.

import { ChevronRight, ExternalLink } from 'lucide-react';
import { useId, useState } from 'react';
import type { Chat } from '../chat.ts';
import { auditOf, isOver, receiptOf, temporalLinkOf, type ShownState, type Turn } from '../turn.ts';
import { count } from '../wording.ts';
import { AuditBadge } from './audit-badge.tsx';
import { CopyButton } from './copy-button.tsx';
import { TurnDetails } from './turn-details.tsx';

interface TurnFootProps {
  readonly chat: Chat;
  readonly turn: Turn;
  readonly state: ShownState;
  readonly answer: string;
}

const stateLabels: Readonly<Record<ShownState, string>> = {
  unsent: 'Not sent',
  accepted: 'Accepted',
  queued: 'Queued',
  running: 'Running',
  waiting: 'Waiting',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Stopped',
};

export function TurnFoot({ chat, turn, state, answer }: TurnFootProps) {
  const [shown, setShown] = useState(false);
  const detailsId = useId();
  const audit = auditOf(turn);
  const receipt = receiptOf(turn);
  const link = temporalLinkOf(turn);
  const toggle = (): void => {
    setShown(!shown);
    if (!shown) chat.showDetails(turn.turnId);
  };
  const attempts = receipt?.attempts.length ?? 0;
  return (
    <div className="turn-foot" data-over={isOver(turn)}>
      <div className="foot-line">
        <button
          type="button"
          className="details-button"
          data-testid="details"
          aria-expanded={shown}
          aria-controls={detailsId}
          onClick={toggle}
        >
          <ChevronRight size={15} className="chevron" aria-hidden="true" />
          <span className="state" data-testid="turn-state" data-state={state}>
            {stateLabels[state]}
          </span>
          <span className="foot-facts">
            {[receipt?.model ?? null, attempts > 1 ? count(attempts, 'attempt') : null]
              .filter((fact) => fact !== null)
              .map((fact) => ` · ${fact}`)}
          </span>
        </button>
        {audit !== null && <AuditBadge audit={audit} />}
        <span className="foot-actions">
          {isOver(turn) && answer !== '' && <CopyButton label="Copy the answer" text={() => answer} />}
          {link !== null && (
            <a
              className="temporal-link"
              data-testid="temporal-link"
              href={link}
              target="_blank"
              rel="noopener noreferrer"
            >
              Open in Temporal UI
              <ExternalLink size={13} aria-hidden="true" />
            </a>
          )}
        </span>
      </div>
      <div id={detailsId} hidden={!shown}>
        {shown && <TurnDetails turn={turn} />}
      </div>
    </div>
  );
}
