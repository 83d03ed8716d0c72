// Other turns of a plan's conversation: a message that comes meanwhile, one that comes afterwards. The model answers them
// at once.

import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import type { BusyMode } from '../../src/protocol/turn.ts';
import { answerTo, questionOf } from '../e2e/replies.ts';
import { newTurnId } from '../stack.ts';
import { createReader, type Reader } from './reader.ts';
import type { Rig } from './rig.ts';

/** Another turn of the conversation, and who reads it. */
export interface OtherTurn {
  readonly turnId: TurnId;
  readonly role: 'meanwhile' | 'afterwards';
  readonly reader: Reader;
}

export function sendOther(
  rig: Rig,
  conversationId: ConversationId,
  role: OtherTurn['role'],
  busy: BusyMode = 'enqueue',
): OtherTurn {
  const turnId = newTurnId();
  const opening = { type: 'message', turnId, conversationId, text: questionOf(turnId), busy } as const;
  const gateway = () => rig.gateway('near');
  return { turnId, role, reader: createReader({ name: role, gateway, turnId, opening, seen: () => undefined }) };
}

export const otherAnswer = (turnId: TurnId): string => answerTo(questionOf(turnId));
