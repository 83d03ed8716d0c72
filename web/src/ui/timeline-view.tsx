// The events of a turn, one row each.

import { clockTime, toTimeline, type TimelineRow } from '../timeline.ts';
import type { Turn } from '../turn.ts';
import { duration } from '../wording.ts';
import { useNow } from './use-now.ts';

export function TimelineView({ turn }: { readonly turn: Turn }) {
  const rows = toTimeline(turn.transcript);
  return (
    <ol className="timeline" data-testid="events">
      {rows.map((row, index) => (
        <li key={row.key} className="timeline-row" data-tone={row.tone} data-type={row.type}>
          <span className="timeline-dot" aria-hidden="true" />
          <div className="timeline-body">
            <p className="timeline-title">
              {row.title} <code className="event-type">{row.type}</code>
            </p>
            {row.error !== null && (
              <p className="timeline-error">
                {row.error.message} <code className="error-code">{row.error.code}</code>
              </p>
            )}
            {row.details.length > 0 && <p className="timeline-details">{row.details.join(' · ')}</p>}
            {row.retryAt !== null && <NextTry at={row.retryAt} isDue={index === rows.length - 1} />}
          </div>
          <time className="timeline-time" dateTime={row.time} title={row.time}>
            <span>{since(row)}</span>
            {clockTime(row.time)}
          </time>
        </li>
      ))}
    </ol>
  );
}

const since = (row: TimelineRow): string => (row.sinceMs === 0 ? '' : `+${duration(row.sinceMs)}`);

/** Counts down to the next try while it is still to come, afterwards tells when it was. */
function NextTry({ at, isDue }: { readonly at: string; readonly isDue: boolean }) {
  const nowMs = useNow(isDue);
  const seconds = Math.ceil((Date.parse(at) - nowMs) / 1_000);
  return (
    <p className="timeline-details">
      {isDue && seconds > 0 ? `next try in ${seconds} s` : `next try at ${clockTime(at)}`}
    </p>
  );
}
