// Which frame a turn needs on a fresh connection.

import { toCursorFrame } from '../../src/protocol/log-hash.ts';
import type { ClientFrame } from '../../src/protocol/frames.ts';
import { needsEvents, stateOfTurn, type Turn } from './turn.ts';

/** What brings a turn forward on a fresh connection; `null`: it needs nothing. */
export function toFrame(turn: Turn): ClientFrame | null {
  const { turnId, conversationId, transcript, outgoing } = turn;
  if (stateOfTurn(turn) === 'unsent' && outgoing !== null) {
    return { type: 'message', turnId, conversationId, text: outgoing.text };
  }
  if (!needsEvents(turn)) return null;
  const nothingYet = transcript.log.length === 0 && transcript.streams.length === 0;
  return { type: 'resume', turnId, ...(nothingYet ? {} : { cursor: toCursorFrame(transcript) }) };
}
