// A finished turn played back without the attempts whose text was discarded: their announcement and their failure are
// left out. Events keep their numbers, so that this log has holes: it is for reading, and not the one that live readers
// follow.

import type { SequencedEvent, TurnEvent } from '../protocol/events.ts';
import type { Transcript } from '../protocol/transcript.ts';

/** Whether an event belongs to an attempt that was followed by another one. */
export function isOfDiscardedAttempt({ log }: Transcript, event: TurnEvent): boolean {
  if (event.type === 'attempt_failed') return true;
  if (event.type !== 'agent_thinking') return false;
  const { step, attempt } = event;
  return log.some((e: SequencedEvent) => e.type === 'attempt_failed' && e.step === step && e.attempt === attempt);
}
