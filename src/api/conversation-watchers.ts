// Who watches which conversation. A turn reaches the conversation's other devices only after the worker has proved that
// its user owns the conversation: a stolen id shows nothing to anybody.

import type { ConversationId, UserId } from '../protocol/ids.ts';
import type { Transcript } from '../protocol/transcript.ts';
import type { TurnFeed } from './turn-feed.ts';

export interface ConversationWatcher {
  readonly userId: UserId;
  /** A turn of the conversation began; its events are to follow. */
  turnBegan(feed: TurnFeed): void;
}

export interface ConversationWatchers {
  /** Returns the end of the watching. */
  watch(conversationId: ConversationId, watcher: ConversationWatcher): () => void;
  /** Tells the watchers of a new turn as soon as its owner is proved. */
  announce(feed: TurnFeed): void;
}

export function createConversationWatchers(): ConversationWatchers {
  const watchers = new Map<ConversationId, Set<ConversationWatcher>>();
  const tell = (feed: TurnFeed): void => {
    for (const watcher of [...(watchers.get(feed.memo.conversationId) ?? [])]) {
      if (watcher.userId === feed.memo.userId) watcher.turnBegan(feed);
    }
  };
  return {
    watch(conversationId, watcher) {
      const all = watchers.get(conversationId) ?? new Set();
      watchers.set(conversationId, all.add(watcher));
      return () => {
        all.delete(watcher);
        if (all.size === 0 && watchers.get(conversationId) === all) watchers.delete(conversationId);
      };
    },
    announce(feed) {
      if (isOwnerProved(feed.transcript)) return tell(feed);
      const end = feed.read({
        changed() {
          if (!isOwnerProved(feed.transcript)) return;
          end();
          tell(feed);
        },
        rewind: () => undefined,
      });
      void feed.ended.then(end);
    },
  };
}

/** The turn was linked: it waits in the conversation, or its agent was loaded. */
const isOwnerProved = (transcript: Transcript): boolean =>
  transcript.log.some((event) => event.type === 'turn_queued' || event.type === 'agent_started');
