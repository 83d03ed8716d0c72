// The evidence of a turn: its events, what it was given to know, its receipt and its audit.

import { useId, useRef, useState, type KeyboardEvent } from 'react';
import { terminalOf } from '../../../src/protocol/transcript.ts';
import { percent } from '../timeline.ts';
import { auditOf, contextOf, citationsOf, isOver, receiptOf, type ShownAudit, type Turn } from '../turn.ts';
import { AuditBadge } from './audit-badge.tsx';
import { ReceiptView } from './receipt-view.tsx';
import { TimelineView } from './timeline-view.tsx';

const tabs = ['Events', 'Sources', 'Receipt', 'Audit'] as const;
type Tab = (typeof tabs)[number];

export function TurnDetails({ turn }: { readonly turn: Turn }) {
  const [tab, setTab] = useState<Tab>('Events');
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const next = (tabs.indexOf(tab) + step + tabs.length) % tabs.length;
    setTab(tabs[next] as Tab);
    list.current?.querySelectorAll<HTMLButtonElement>('[role=tab]')[next]?.focus();
  };
  return (
    <div className="details" data-testid="turn-details">
      <div ref={list} className="tabs" role="tablist" aria-label="Details" onKeyDown={move}>
        {tabs.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            aria-selected={tab === name}
            aria-controls={`${id}-panel`}
            tabIndex={tab === name ? 0 : -1}
            data-testid={`tab-${name.toLowerCase()}`}
            onClick={() => setTab(name)}
          >
            {name}
          </button>
        ))}
      </div>
      <div className="tab-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${tab}`}>
        <Panel tab={tab} turn={turn} />
      </div>
    </div>
  );
}

function Panel({ tab, turn }: { readonly tab: Tab; readonly turn: Turn }) {
  switch (tab) {
    case 'Events':
      return turn.transcript.log.length === 0 ? <Quiet>Loading the events…</Quiet> : <TimelineView turn={turn} />;
    case 'Sources':
      return <SourcesPanel turn={turn} />;
    case 'Receipt': {
      const receipt = receiptOf(turn);
      if (receipt !== null) return <ReceiptView receipt={receipt} />;
      return (
        <Quiet>
          {isOver(turn) ? 'This turn ended without a receipt.' : 'There is a receipt when the turn is over.'}
        </Quiet>
      );
    }
    case 'Audit': {
      const audit = auditOf(turn);
      if (audit === null)
        return (
          <Quiet>
            {isOver(turn) ? 'No audit was made of this turn.' : 'The audit begins when the answer is stored.'}
          </Quiet>
        );
      return audit === 'running' ? (
        <Quiet>The audit runs; its verdict appears here.</Quiet>
      ) : (
        <AuditPanel audit={audit} />
      );
    }
  }
}

const Quiet = ({ children }: { readonly children: string }) => <p className="quiet">{children}</p>;

function SourcesPanel({ turn }: { readonly turn: Turn }) {
  const context = contextOf(turn);
  const cited = new Set(citationsOf(turn).map(({ id }) => id));
  if (context.length > 0) {
    return (
      <table className="facts-table">
        <caption className="quiet">Passages of knowledge that were put into the prompt</caption>
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col">Passage</th>
            <th scope="col">Score</th>
            <th scope="col">Cited</th>
          </tr>
        </thead>
        <tbody>
          {context.map(({ id, source, score }) => (
            <tr key={id}>
              <td>{source}</td>
              <td>
                <code>{id}</code>
              </td>
              <td className="number">{score.toFixed(2)}</td>
              <td>{cited.has(id) ? 'yes' : 'no'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    );
  }
  const replaying = turn.transcript.log.length === 0 || (isOver(turn) && terminalOf(turn.transcript) === null);
  return (
    <Quiet>{replaying ? 'Loading the sources…' : 'No passage of the knowledge graph was put into the prompt.'}</Quiet>
  );
}

function AuditPanel({ audit }: { readonly audit: ShownAudit }) {
  return (
    <div className="audit-panel">
      <p>
        <AuditBadge audit={audit} />
        {audit.confidence !== null && <span className="quiet">confidence {percent(audit.confidence)}</span>}
      </p>
      {audit.reason !== '' && <p>{audit.reason}</p>}
    </div>
  );
}
