// The page's own words, in one place. They describe states; what went wrong is told in the gateway's words only.

import type { AuditVerdict, CancelledBy, WaitingReason } from '../../src/protocol/events.ts';
import type { ModelStatus } from './resources.ts';

export const waitingSentences: Readonly<Record<WaitingReason, string>> = {
  model: 'Waiting for the model’s answer',
  model_loading: 'The model is still being loaded; this message is answered as soon as it is there',
  tool: 'Waiting for a tool',
  approval: 'Waiting for an approval',
  graph: 'Waiting for the conversation store',
  engine: 'Waiting for the workflow engine',
  worker: 'No worker answers at the moment. The message is kept and goes on when one is there',
  queue: 'Waiting for an earlier message',
  retry: 'Waiting for the next try',
};

export const cancelledSentences: Readonly<Record<CancelledBy, string>> = {
  user: 'Stopped by you',
  withdrawn: 'Withdrawn before it was answered',
  interrupt: 'Stopped by a later message',
  operator: 'Stopped by an operator in Temporal',
};

export const verdictLabels: Readonly<Record<AuditVerdict, string>> = {
  accepted: 'Audit passed',
  flagged: 'Flagged by the audit',
  rejected: 'Rejected by the audit',
  failed: 'Audit failed',
  not_applicable: 'Nothing to audit',
};

export type Tone = 'neutral' | 'good' | 'warning' | 'bad';

export const verdictTones: Readonly<Record<AuditVerdict, Tone>> = {
  accepted: 'good',
  flagged: 'warning',
  rejected: 'bad',
  failed: 'warning',
  not_applicable: 'neutral',
};

export function modelSentence({ state, name }: ModelStatus): string {
  const model = name ?? 'the model';
  switch (state) {
    case 'ready':
      return `${model} is ready`;
    case 'loading':
      return `Loading ${model}. You can write already: messages are kept and answered when it is ready.`;
    case 'failed':
      return `${capitalized(model)} could not be loaded.`;
    case 'none':
      return 'No model is configured. Messages are kept until there is one.';
  }
}

export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const plural = new Intl.PluralRules('en');
const number = new Intl.NumberFormat('en');

/** `1 character`, `1,200 characters`. */
export function count(amount: number, noun: string): string {
  return `${number.format(amount)} ${noun}${plural.select(amount) === 'one' ? '' : 's'}`;
}

/** A number that the backend may not have told. */
export const known = (amount: number | null): string => (amount === null ? 'unknown' : number.format(amount));

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

/** `withdrawn: 120 characters of attempt 1`; `null` when nothing had been shown. */
export function withdrawnSentence(
  discardedChars: number,
  attempt: number | undefined,
  atLeast: boolean,
): string | null {
  if (discardedChars === 0) return null;
  const amount = `${atLeast ? 'at least ' : ''}${count(discardedChars, 'character')}`;
  return `withdrawn: ${amount}${attempt === undefined ? '' : ` of attempt ${attempt}`}`;
}

/** For a wait that goes on: whole seconds. */
export const elapsed = (ms: number): string =>
  ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1_000))} s` : duration(ms);
