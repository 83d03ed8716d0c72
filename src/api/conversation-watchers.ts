// Who watches which conversation. A turn reaches the conversation's other devices only after the worker has proved that
// its user owns the conversation: a stolen id shows nothing to anybody. Turns begun at this gateway are known at once,
// those of other gateways by the lane; what the lane does not bring is found in the graph, which links an owner's turns only.

import { CandorError } from '../protocol/errors.ts';
import type { ConversationId, TurnId, UserId } from '../protocol/ids.ts';
import type { BegunTurn, GatewayGraph, LiveLane } from '../protocol/ports.ts';
import type { Transcript } from '../protocol/transcript.ts';
import type { GatewayLog } from './gateway-log.ts';
import { pause } from './pause.ts';
import type { TurnFeed } from './turn-feed.ts';
import type { TurnFeeds } from './turn-feeds.ts';

export interface ConversationWatcher {
  readonly userId: UserId;
  /** A turn of the conversation began; its events are to follow. */
  turnBegan(feed: TurnFeed): void;
}

export interface ConversationWatch {
  /** Turns of the conversation that need not be told. Until it is called, none are looked for. */
  knows(turnIds: readonly TurnId[]): void;
  end(): void;
}

export interface ConversationWatchers {
  watch(conversationId: ConversationId, watcher: ConversationWatcher): ConversationWatch;
  /** Tells the watchers here of a turn that was started here as soon as its owner is proved, and other gateways at once. */
  announce(feed: TurnFeed): void;
  close(): void;
}

export interface ConversationWatchersOptions {
  readonly lane: Pick<LiveLane, 'announce' | 'onAnnounced' | 'status'>;
  readonly feeds: Pick<TurnFeeds, 'open'>;
  readonly graph: Pick<GatewayGraph, 'latestTurns'>;
  readonly log: GatewayLog;
  readonly limits?: WatchLimits;
}

export interface WatchLimits {
  /** Between two looks into the graph while nothing else joins the gateways. */
  readonly lookMs: number;
  /** The same while the lane does. */
  readonly joinedLookMs: number;
  /** Conversations asked for by one query, and turns of each. */
  readonly conversations: number;
  readonly turns: number;
}

const defaultLimits: WatchLimits = { lookMs: 5_000, joinedLookMs: 30_000, conversations: 500, turns: 20 };

interface Watch {
  readonly watcher: ConversationWatcher;
  readonly told: Set<TurnId>;
  isLookedFor: boolean;
}

export function createConversationWatchers(options: ConversationWatchersOptions): ConversationWatchers {
  const { lane, feeds, graph, log, limits = defaultLimits } = options;
  const watches = new Map<ConversationId, Set<Watch>>();
  const closing = new AbortController();
  let isLooking = false;

  const of = (conversationId: ConversationId): readonly Watch[] => [...(watches.get(conversationId) ?? [])];

  const tell = (feed: TurnFeed): void => {
    for (const { watcher, told } of of(feed.memo.conversationId)) {
      if (watcher.userId !== feed.memo.userId || told.has(feed.turnId)) continue;
      told.add(feed.turnId);
      watcher.turnBegan(feed);
    }
  };

  const tellWhenProved = (feed: TurnFeed): void => {
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
  };

  /** `null`: it is nobody's who watches here, or it cannot be found now; then it is looked for again. */
  const open = async (turnId: TurnId, userId: UserId): Promise<TurnFeed | null> => {
    try {
      return await feeds.open(turnId, userId);
    } catch (error) {
      if (error instanceof CandorError) return null;
      throw error;
    }
  };

  /** Another gateway says so; who it is that began the turn, the engine says. */
  const take = async ({ turnId, conversationId }: BegunTurn): Promise<void> => {
    const waiting = of(conversationId).filter(({ told }) => !told.has(turnId));
    for (const userId of new Set(waiting.map(({ watcher }) => watcher.userId))) {
      const feed = await open(turnId, userId);
      if (feed?.memo.conversationId === conversationId) tellWhenProved(feed);
    }
  };

  const look = async (conversationIds: readonly ConversationId[]): Promise<void> => {
    for (const { conversationId, turnId, userId } of await graph.latestTurns(conversationIds, limits.turns)) {
      const lacking = of(conversationId).filter(
        ({ watcher, told, isLookedFor }) => isLookedFor && watcher.userId === userId && !told.has(turnId),
      );
      if (lacking.length === 0) continue;
      const feed = await open(turnId, userId);
      if (feed !== null) tell(feed);
    }
  };

  /** As long as somebody watches. */
  const lookAgain = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    while (watches.size > 0 && !closing.signal.aborted) {
      const status = lane.status();
      const isJoined = status.kind === 'redis' && status.connected;
      await pause(isJoined ? limits.joinedLookMs : limits.lookMs, closing.signal);
      const conversationIds = [...watches.keys()];
      try {
        for (let n = 0; n < conversationIds.length && !closing.signal.aborted; n += limits.conversations) {
          await look(conversationIds.slice(n, n + limits.conversations));
        }
      } catch (error) {
        if (!(error instanceof CandorError)) log.error({ error }, 'a bug while begun turns were looked for');
        else log.debug({ code: error.code }, 'unable to look for begun turns; trying again');
      }
    }
    isLooking = false;
  };

  const endListening = lane.onAnnounced((begun) => {
    if (!watches.has(begun.conversationId)) return;
    take(begun).catch((error: unknown) => log.error({ error }, 'a bug while an announced turn was opened'));
  });

  return {
    watch(conversationId, watcher) {
      const watch: Watch = { watcher, told: new Set(), isLookedFor: false };
      const all = watches.get(conversationId) ?? new Set();
      watches.set(conversationId, all.add(watch));
      void lookAgain();
      return {
        knows(turnIds) {
          for (const turnId of turnIds) watch.told.add(turnId);
          watch.isLookedFor = true;
        },
        end() {
          all.delete(watch);
          if (all.size === 0 && watches.get(conversationId) === all) watches.delete(conversationId);
        },
      };
    },
    announce(feed) {
      const { turnId, memo } = feed;
      lane.announce({ turnId, conversationId: memo.conversationId });
      tellWhenProved(feed);
    },
    close() {
      closing.abort();
      endListening();
    },
  };
}

/** The turn was linked: it waits in the conversation, or its agent was loaded. */
const isOwnerProved = (transcript: Transcript): boolean =>
  transcript.log.some((event) => event.type === 'turn_queued' || event.type === 'agent_started');
