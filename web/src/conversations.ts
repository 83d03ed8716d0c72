// All conversations that this page has looked at, by id. One observable, because a turn may go on in one while another
// is shown.

import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { findTurn, type Conversation } from './conversation.ts';
import { createObservable, type Observable } from './observable.ts';
import type { Turn } from './turn.ts';

export type ConversationMap = ReadonlyMap<ConversationId, Conversation>;

export interface Conversations extends Observable<ConversationMap> {
  find(id: ConversationId): Conversation | null;
  findTurn(turnId: TurnId): Turn | null;
  put(conversation: Conversation): void;
  /** Changes a conversation that is known; does nothing for any other. */
  update(id: ConversationId, change: (conversation: Conversation) => Conversation): void;
  remove(id: ConversationId): void;
}

export function createConversations(schedule: (tell: () => void) => void): Conversations {
  const map = createObservable<ConversationMap>(new Map(), schedule);
  const find = (id: ConversationId): Conversation | null => map.get().get(id) ?? null;
  const put = (conversation: Conversation): void =>
    map.set(new Map(map.get()).set(conversation.conversationId, conversation));
  return {
    get: map.get,
    subscribe: map.subscribe,
    find,
    findTurn(turnId) {
      for (const conversation of map.get().values()) {
        const turn = findTurn(conversation, turnId);
        if (turn !== null) return turn;
      }
      return null;
    },
    put,
    update(id, change) {
      const known = find(id);
      if (known === null) return;
      const next = change(known);
      if (next !== known) put(next);
    },
    remove(id) {
      const next = new Map(map.get());
      next.delete(id);
      map.set(next);
    },
  };
}
