// Where a turn is at the instant of a fault, by what the model server saw and what the client was told. Pure.

import { terminalOf, type Transcript } from '../../src/protocol/transcript.ts';
import type { RecordedCall } from '../../testing/upstream/upstream.ts';

export const phases = [
  'before accepted',
  'retrieving',
  'thinking',
  'streaming',
  'backing off',
  'storing',
  'after the end',
] as const;
export type Phase = (typeof phases)[number];

export interface TurnAtInstant {
  readonly transcript: Transcript;
  readonly calls: readonly RecordedCall[];
  readonly auditCalls: readonly RecordedCall[];
}

/** `null`: it is over, its audit too, and nothing can meet it any more. A message that is not sent yet meets the fault. */
export function phaseOf({ transcript, calls, auditCalls }: TurnAtInstant): Phase | null {
  if (terminalOf(transcript) !== null) return auditCalls.at(-1)?.endedAt != null ? null : 'after the end';
  const call = calls.at(-1);
  if (call === undefined) {
    const last = transcript.log.at(-1)?.type;
    if (last === undefined) return 'before accepted';
    return last === 'agent_thinking' ? 'thinking' : 'retrieving';
  }
  if (call.endedAt === null && call.closedAt === null) return call.written.length === 0 ? 'thinking' : 'streaming';
  return call.endedAt !== null && call.written.length > 0 ? 'storing' : 'backing off';
}
