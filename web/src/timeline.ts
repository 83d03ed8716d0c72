// A turn's events as rows of a timeline: one row an event, in the order of the log, with what a reader can check.

import type { AuditCompleted, AuditFailed, SequencedEvent, TurnCancelled } from '../../src/protocol/events.ts';
import type { ErrorInfo } from '../../src/protocol/errors.ts';
import type { Transcript } from '../../src/protocol/transcript.ts';
import {
  cancelledSentences,
  count,
  known,
  verdictLabels,
  verdictTones,
  withdrawnSentence,
  type Tone,
} from './wording.ts';

export interface TimelineRow {
  readonly key: string;
  /** The event's name on the wire. */
  readonly type: string;
  /** ISO 8601. */
  readonly time: string;
  /** Since the first event. */
  readonly sinceMs: number;
  readonly title: string;
  readonly details: readonly string[];
  readonly error: ErrorInfo | null;
  /** ISO 8601; when the next try is due. */
  readonly retryAt: string | null;
  readonly tone: Tone;
}

type Told = Pick<TimelineRow, 'title'> & Partial<Pick<TimelineRow, 'details' | 'error' | 'retryAt' | 'tone'>>;

export function toTimeline({ log, audit }: Transcript): readonly TimelineRow[] {
  const startMs = log[0] === undefined ? 0 : Date.parse(log[0].time);
  const row = (event: SequencedEvent | AuditCompleted | AuditFailed, key: string, told: Told): TimelineRow => ({
    key,
    type: event.type,
    time: event.time,
    sinceMs: Math.max(0, Date.parse(event.time) - startMs),
    details: [],
    error: null,
    retryAt: null,
    tone: 'neutral',
    ...told,
  });
  const rows = log.map((event) => row(event, String(event.seq), tell(event)));
  return audit === null ? rows : [...rows, row(audit, audit.auditId, tellAudit(audit))];
}

/** When the stop was asked for, when the model's connection was closed, and what still came in between. */
export const stopProof = ({ requestedAt, upstreamClosedAt, charsAfterStop }: TurnCancelled): readonly string[] =>
  present([
    `asked at ${clockTime(requestedAt)}`,
    upstreamClosedAt === null ? null : `model closed at ${clockTime(upstreamClosedAt)}`,
    charsAfterStop === null ? null : `${count(charsAfterStop, 'character')} after the stop`,
  ]);

const present = (parts: readonly (string | null)[]): readonly string[] => parts.filter((part) => part !== null);

function tell(event: SequencedEvent): Told {
  switch (event.type) {
    case 'turn_accepted':
      return { title: 'Message accepted' };
    case 'turn_queued':
      return { title: 'Queued behind an earlier message', details: [event.behind] };
    case 'agent_started':
      return {
        title: `Agent ${event.agentId} loaded`,
        details: [`model ${event.model}`, `${count(event.context.length, 'passage')} of knowledge`],
      };
    case 'agent_thinking':
      return {
        title: event.attempt === 1 ? 'Model called' : 'Model called again',
        details: [`step ${event.step}`, `attempt ${event.attempt} of ${event.maxAttempts}`, event.model],
      };
    case 'attempt_failed':
      return {
        title: `Attempt ${event.attempt} of ${event.maxAttempts} failed`,
        details: present([withdrawnSentence(event.discardedChars, event.attempt, event.atLeast === true)]),
        error: event.error,
        retryAt: event.retryAt,
        tone: 'warning',
      };
    case 'agent_completed':
      return {
        title: event.incomplete ? 'Model answered up to its limit of length' : 'Model answered',
        details: [
          count(event.text.length, 'character'),
          `${known(event.usage.promptTokens)} tokens in, ${known(event.usage.completionTokens)} out`,
          `finish reason ${event.finishReason}`,
        ],
        tone: event.incomplete ? 'warning' : 'good',
      };
    case 'agent_failed':
      return {
        title: `Agent ${event.agentId} failed`,
        details: present([withdrawnSentence(event.discardedChars, event.attempt, event.atLeast === true)]),
        error: event.error,
        tone: 'bad',
      };
    case 'conversation_stored':
      return { title: 'Stored in the graph' };
    case 'audit_started':
      return { title: 'Audit started', details: [event.auditId] };
    case 'turn_completed':
      return { title: 'Completed', tone: 'good' };
    case 'turn_failed':
      return { title: 'Failed', error: event.error, tone: 'bad' };
    case 'turn_cancelled':
      return {
        title: cancelledSentences[event.by],
        details: stopProof(event),
        tone: 'warning',
      };
    default:
      // An event of a newer gateway: its name is all that is known of it here.
      return { title: (event as SequencedEvent).type };
  }
}

function tellAudit(audit: AuditCompleted | AuditFailed): Told {
  if (audit.type === 'audit_failed') return { title: verdictLabels.failed, error: audit.error, tone: 'warning' };
  const { verdict, confidence, reason } = audit;
  return {
    title: verdictLabels[verdict],
    details: present([reason === '' ? null : reason, confidence === null ? null : `confidence ${percent(confidence)}`]),
    tone: verdictTones[verdict],
  };
}

export const percent = (part: number): string => `${Math.round(part * 100)} %`;

/** Local time of day with milliseconds. */
export function clockTime(iso: string): string {
  const date = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  const millis = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}
