// The end of a turn that another turn of its conversation found gone. Nothing is known of its log but how it began; what
// a gateway knows of it replaces this.

import type { AgentId, ConversationId, TurnId } from '../protocol/ids.ts';
import { toOutsideResult } from '../protocol/outside-end.ts';
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
  return toOutsideResult(
    lost,
    [{ type: 'turn_accepted', seq: 1, time: createdAt, conversationId, turnId, agentId, text, ...parent }],
    { cause: 'gone', closedAt: endedAt },
  );
}
