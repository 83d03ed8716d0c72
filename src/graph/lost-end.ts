// The end of a turn whose workflow was ended from outside and left no log. Its record says just that, in the two events
// that are true of it, so that every reader finds a terminal event where the contract promises one.

import { toErrorInfo } from '../protocol/errors.ts';
import type { AgentId, ConversationId, TurnId } from '../protocol/ids.ts';
import type { TurnResult } from '../protocol/turn.ts';

export interface LostTurn {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly agentId: AgentId;
  readonly text: string;
  readonly parentTurnId: TurnId | null;
  readonly createdAt: string;
  /** When it was found that the turn has no workflow any more. */
  readonly endedAt: string;
}

export function toLostEnd(lost: LostTurn): TurnResult {
  const { turnId, conversationId, agentId, text, parentTurnId, createdAt, endedAt } = lost;
  const parent = parentTurnId === null ? {} : { parentTurnId };
  const error = toErrorInfo('internal', { facts: { reason: 'its workflow was ended from outside' } });
  return {
    outcome: 'failed',
    log: [
      { type: 'turn_accepted', seq: 1, time: createdAt, conversationId, turnId, agentId, text, ...parent },
      { type: 'turn_failed', seq: 2, time: endedAt, conversationId, turnId, error, receipt: null },
    ],
  };
}
