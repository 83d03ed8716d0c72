// Messages that are this client's to deliver, and turns that it has not seen the end of. Each is stored before it is sent
// and stays until it is over, so that neither a lost connection nor a reload loses it. One key a message: two tabs then
// never overwrite each other's.

import type { AgentId, ConversationId, TurnId } from '../protocol/ids.ts';
import type { Attachment, BusyMode } from '../protocol/turn.ts';

export interface Outgoing {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly agentId: AgentId;
  readonly text: string;
  readonly busy?: BusyMode;
  readonly parentTurnId?: TurnId;
  readonly regenerateOf?: TurnId;
  readonly attachments?: readonly Attachment[];
  /** Milliseconds since the epoch. */
  readonly writtenAtMs: number;
  /** True from `turn_accepted` on: the turn is durable and is resumed, not sent again. */
  readonly accepted: boolean;
}

export interface Outbox {
  put(message: Outgoing): void;
  accept(turnId: TurnId): void;
  remove(turnId: TurnId): void;
  /** Oldest first: messages of one conversation are sent in the order in which they were written. */
  list(): readonly Outgoing[];
}

/** The part of a browser's Storage that the outbox uses. */
export interface KeyValueStore {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Outlives a reload: over `localStorage`, or whatever looks like it. */
export function createStorageOutbox(storage: KeyValueStore, user: string): Outbox {
  const prefix = `candor.outbox.${user}.`;
  const keyOf = (turnId: TurnId): string => prefix + turnId;
  const read = (key: string): Outgoing | null => {
    const text = storage.getItem(key);
    return text === null ? null : (JSON.parse(text) as Outgoing);
  };
  return {
    put: (message) => storage.setItem(keyOf(message.turnId), JSON.stringify(message)),
    accept(turnId) {
      const message = read(keyOf(turnId));
      if (message !== null && !message.accepted) {
        storage.setItem(keyOf(turnId), JSON.stringify({ ...message, accepted: true }));
      }
    },
    remove: (turnId) => storage.removeItem(keyOf(turnId)),
    list: () =>
      Array.from({ length: storage.length }, (_, index) => storage.key(index))
        .filter((key) => key?.startsWith(prefix) === true)
        .map((key) => read(key as string))
        .filter((message) => message !== null)
        .sort((a, b) => a.writtenAtMs - b.writtenAtMs),
  };
}

/** Lives as long as the process. */
export const noOutbox: Outbox = {
  put: () => undefined,
  accept: () => undefined,
  remove: () => undefined,
  list: () => [],
};
