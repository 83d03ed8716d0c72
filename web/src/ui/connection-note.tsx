// Tells that the connection is away, and not before it has been for a moment: a reconnect is no event for a reader.

import { CloudOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ConnectionState } from '../../../src/client/index.ts';
import { ProblemNote } from './problem-note.tsx';
import { useNow } from './use-now.ts';

interface ConnectionNoteProps {
  readonly state: ConnectionState | undefined;
  readonly onReconnect: () => void;
}

const graceMs = 1_200;

export function ConnectionNote({ state, onReconnect }: ConnectionNoteProps) {
  const away = state?.kind === 'waiting' || state?.kind === 'connecting';
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!away) {
      setShown(false);
      return undefined;
    }
    const timer = setTimeout(() => setShown(true), graceMs);
    return () => clearTimeout(timer);
  }, [away]);
  const nowMs = useNow(away && shown);
  if (state?.kind === 'refused') {
    return <ProblemNote problem={state.error} />;
  }
  if (!away || !shown) return null;
  const seconds = state.kind === 'waiting' ? Math.max(0, Math.ceil((state.retryAtMs - nowMs) / 1_000)) : 0;
  return (
    <div className="note neutral" role="status">
      <CloudOff size={17} aria-hidden="true" />
      <div className="note-body">
        <p>
          Not connected. Answers go on without this page.{' '}
          <span aria-hidden="true">{seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying again…'}</span>
        </p>
        <div className="note-actions">
          <button type="button" className="button small" onClick={onReconnect}>
            Connect now
          </button>
        </div>
      </div>
    </div>
  );
}
