// Messages whose turn the reader cannot yet find by asking for the conversation. Each is stored before it is sent and
// stays until the conversation lists it or it is over, so that neither a lost connection nor a reload loses it.
// One key a message: two tabs then never overwrite each other's.

import type { AgentId, ConversationId, TurnId, UserId } from '../../src/protocol/ids.ts';
import type { KeyValueStore } from './key-value-store.ts';

export interface Outgoing {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly agentId: AgentId;
  readonly text: string;
  readonly writtenAtMs: number;
  /** True from `turn_accepted` on: the turn is durable and is resumed, not sent again. */
  readonly accepted: boolean;
}

export interface Outbox {
  put(message: Outgoing): void;
  accept(turnId: TurnId): void;
  remove(turnId: TurnId): void;
  removeConversation(conversationId: ConversationId): void;
  /** Oldest first: messages of one conversation are sent in the order in which they were written. */
  list(): readonly Outgoing[];
}

export function createOutbox(storage: KeyValueStore, user: UserId): Outbox {
  const prefix = `candor.outbox.${user}.`;
  const keyOf = (turnId: TurnId): string => prefix + turnId;
  const read = (key: string): Outgoing | null => {
    const text = storage.getItem(key);
    return text === null ? null : (JSON.parse(text) as Outgoing);
  };
  const list = (): readonly Outgoing[] =>
    Array.from({ length: storage.length }, (_, index) => storage.key(index))
      .filter((key) => key?.startsWith(prefix) === true)
      .map((key) => read(key as string))
      .filter((message) => message !== null)
      .sort((a, b) => a.writtenAtMs - b.writtenAtMs);
  return {
    put: (message) => storage.setItem(keyOf(message.turnId), JSON.stringify(message)),
    accept(turnId) {
      const message = read(keyOf(turnId));
      if (message !== null && !message.accepted) {
        storage.setItem(keyOf(turnId), JSON.stringify({ ...message, accepted: true }));
      }
    },
    remove: (turnId) => storage.removeItem(keyOf(turnId)),
    removeConversation(conversationId) {
      for (const message of list()) {
        if (message.conversationId === conversationId) storage.removeItem(keyOf(message.turnId));
      }
    },
    list,
  };
}
