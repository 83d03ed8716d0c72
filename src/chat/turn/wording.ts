// The terminal's own words, in one place. They describe states; what went wrong is told in the gateway's words only.

import type { AuditVerdict, CancelledBy, WaitingReason } from '../../protocol/events.ts';
import type { Role } from '../screen/row.ts';

export const waitingWords: Readonly<Record<WaitingReason, string>> = {
  model: 'waiting for the model',
  model_loading: 'the model is still being loaded',
  tool: 'waiting for a tool',
  approval: 'waiting for an approval',
  graph: 'waiting for the conversation store',
  engine: 'waiting for the workflow engine',
  worker: 'no worker answers; the message is kept',
  queue: 'waiting for an earlier message',
  retry: 'waiting for the next try',
};

export const cancelledWords: Readonly<Record<CancelledBy, string>> = {
  user: 'stopped by you',
  withdrawn: 'withdrawn before it was answered',
  interrupt: 'stopped by a later message',
  operator: 'stopped by an operator',
};

export const verdictWords: Readonly<Record<AuditVerdict, { readonly text: string; readonly role: Role }>> = {
  accepted: { text: 'audit passed', role: 'good' },
  flagged: { text: 'flagged by the audit', role: 'warning' },
  rejected: { text: 'rejected by the audit', role: 'bad' },
  failed: { text: 'the audit failed', role: 'warning' },
  not_applicable: { text: 'nothing to audit', role: 'quiet' },
};

const number = new Intl.NumberFormat('en');
const plural = new Intl.PluralRules('en');

/** `1 character`, `1,200 characters`. */
export const count = (amount: number, noun: string): string =>
  `${number.format(amount)} ${noun}${plural.select(amount) === 'one' ? '' : 's'}`;

/** A number that the backend may not have told. */
export const known = (amount: number | null): string => (amount === null ? '?' : number.format(amount));

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

/** Local time of day with milliseconds. */
export function clockTime(iso: string): string {
  const date = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  const millis = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${millis}`;
}
