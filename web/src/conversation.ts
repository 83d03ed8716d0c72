// A conversation as a list of turns. Pure: whatever arrives, by REST, by socket or from the outbox, is merged by turn,
// so that the order of arrival does not matter.

import type { Outgoing } from '../../src/client/index.ts';
import type { AgentId, ConversationId, TurnId } from '../../src/protocol/ids.ts';
import type { Problem } from './rest.ts';
import type { ConversationWithTurns, TurnResource } from './resources.ts';
import { emptyTurn, isOver, questionOf, stateOfTurn, type Turn } from './turn.ts';

export interface Conversation {
  readonly conversationId: ConversationId;
  readonly agentId: AgentId;
  /** `null` until the gateway names one. */
  readonly title: string | null;
  readonly turns: readonly Turn[];
  /** `new`: made here, the gateway does not know it yet. */
  readonly load: 'new' | 'loading' | 'loaded' | { readonly problem: Problem };
}

export const newConversation = (
  conversationId: ConversationId,
  agentId: AgentId,
  load: 'new' | 'loading',
): Conversation => ({ conversationId, agentId, title: null, turns: [], load });

/** Changes one turn, which is made when it is new. Same object when nothing changed. */
export function updateTurn(conversation: Conversation, turnId: TurnId, change: (turn: Turn) => Turn): Conversation {
  const { turns, conversationId } = conversation;
  const index = turns.findIndex((turn) => turn.turnId === turnId);
  const known = turns[index];
  if (known === undefined) return { ...conversation, turns: [...turns, change(emptyTurn(turnId, conversationId))] };
  const next = change(known);
  return next === known ? conversation : { ...conversation, turns: turns.with(index, next) };
}

export const withResource = (conversation: Conversation, resource: TurnResource): Conversation =>
  updateTurn(conversation, resource.turnId, (turn) => ({ ...turn, resource }));

export const withOutgoing = (conversation: Conversation, outgoing: Outgoing): Conversation =>
  updateTurn(conversation, outgoing.turnId, (turn) => ({ ...turn, outgoing }));

export const withoutTurn = (conversation: Conversation, turnId: TurnId): Conversation => ({
  ...conversation,
  turns: conversation.turns.filter((turn) => turn.turnId !== turnId),
});

/** What REST lists comes first and in its order; turns that it does not know yet follow. */
export function withLoaded(conversation: Conversation, loaded: ConversationWithTurns): Conversation {
  const known = new Map(conversation.turns.map((turn) => [turn.turnId, turn]));
  const listed = loaded.turns.map((resource): Turn => {
    const turn = known.get(resource.turnId) ?? emptyTurn(resource.turnId, conversation.conversationId);
    return { ...turn, resource, outgoing: null };
  });
  const ids = new Set(loaded.turns.map(({ turnId }) => turnId));
  return {
    ...conversation,
    agentId: loaded.agentId,
    title: loaded.title,
    load: 'loaded',
    turns: [...listed, ...conversation.turns.filter(({ turnId }) => !ids.has(turnId))],
  };
}

export const findTurn = (conversation: Conversation, turnId: TurnId): Turn | null =>
  conversation.turns.find((turn) => turn.turnId === turnId) ?? null;

export const openTurns = (conversation: Conversation): readonly Turn[] =>
  conversation.turns.filter((turn) => !isOver(turn));

/** The turn that is worked on: the first open one that does not wait in the queue. */
export function runningTurn(conversation: Conversation): Turn | null {
  const running = openTurns(conversation).filter((turn) => !['queued', 'unsent'].includes(stateOfTurn(turn)));
  return running[0] ?? null;
}

export function titleOf(conversation: Conversation): string | null {
  if (conversation.title !== null) return conversation.title;
  const [first] = conversation.turns;
  const line = first === undefined ? '' : (questionOf(first).trim().split('\n')[0] ?? '');
  return line === '' ? null : line;
}
