// The feeds of a gateway: one a turn, shared by all its readers, found by whoever may see it. A feed without readers is
// kept for a while, because a reader that lost its socket comes back.

import { CandorError } from '../protocol/errors.ts';
import type { TurnId, UserId } from '../protocol/ids.ts';
import type { StoredTurn } from '../protocol/ports.ts';
import type { TurnMemo } from '../protocol/turn.ts';
import { createBoundedEngine } from './bounded-engine.ts';
import {
  createTurnFeed,
  defaultFeedLimits,
  type FeedOrigin,
  type TurnFeed,
  type TurnFeedDependencies,
  type TurnFeedLimits,
} from './turn-feed.ts';

export interface TurnFeeds {
  /** The feed of a turn that this gateway has just started. */
  openFresh(turnId: TurnId, memo: TurnMemo): TurnFeed;
  /** @throws CandorError `turn_not_found` also when the turn is another user's, `engine_unavailable`, `graph_unavailable` */
  open(turnId: TurnId, userId: UserId): Promise<TurnFeed>;
  /** The memo of a turn whoever asks; `null`: nobody knows it. */
  memoOf(turnId: TurnId): Promise<TurnMemo | null>;
  readonly size: number;
  /** Of all feeds. */
  readonly readers: number;
  close(): void;
}

export interface TurnFeedsOptions {
  /** Milliseconds that a feed without readers is kept. */
  readonly keepMs: number;
  readonly limits: TurnFeedLimits;
}

export function createTurnFeeds(
  given: TurnFeedDependencies,
  { keepMs, limits }: TurnFeedsOptions = { keepMs: 60_000, limits: defaultFeedLimits },
): TurnFeeds {
  const dependencies = { ...given, engine: createBoundedEngine(given.engine) };
  const { engine, graph } = dependencies;
  const feeds = new Map<TurnId, TurnFeed>();
  const opening = new Map<TurnId, Promise<TurnFeed | null>>();
  const idleSince = new Map<TurnId, number>();

  const sweep = setInterval(() => {
    for (const [turnId, feed] of feeds) {
      const idle = idleSince.get(turnId);
      if (feed.readers > 0) idleSince.delete(turnId);
      else if (idle === undefined) idleSince.set(turnId, Date.now());
      else if (Date.now() - idle > keepMs) {
        feed.close();
        feeds.delete(turnId);
        idleSince.delete(turnId);
      }
    }
  }, keepMs / 4).unref();

  const add = (turnId: TurnId, memo: TurnMemo, origin: FeedOrigin): TurnFeed => {
    const feed = createTurnFeed(turnId, memo, origin, dependencies, limits);
    feeds.set(turnId, feed);
    return feed;
  };

  const discover = async (turnId: TurnId): Promise<TurnFeed | null> => {
    const found = await engine.find(turnId).catch(toAway);
    if (found !== null && !(found instanceof CandorError)) {
      const { memo, ...state } = found;
      const origin: FeedOrigin =
        state.state === 'open' ? { kind: 'open', stand: state.stand } : { kind: 'ended', end: state };
      return add(turnId, memo, origin);
    }
    const turn = await graph.turn(turnId).catch((error: unknown) => {
      throw found ?? error;
    });
    if (turn !== null)
      return add(turnId, toMemo(turn), turn.result === null ? { kind: 'open', stand: null } : { kind: 'stored', turn });
    // The graph learns of a turn later than the engine: only the engine can say that there is none.
    if (found !== null) throw found;
    return null;
  };

  const find = (turnId: TurnId): Promise<TurnFeed | null> => {
    const known = feeds.get(turnId);
    if (known !== undefined) return Promise.resolve(known);
    const begun = opening.get(turnId) ?? discover(turnId).finally(() => opening.delete(turnId));
    opening.set(turnId, begun);
    return begun;
  };

  return {
    openFresh: (turnId, memo) => feeds.get(turnId) ?? add(turnId, memo, { kind: 'fresh' }),
    async open(turnId, userId) {
      const feed = await find(turnId);
      if (feed === null || feed.memo.userId !== userId) throw new CandorError('turn_not_found');
      return feed;
    },
    memoOf: async (turnId) => (await find(turnId))?.memo ?? null,
    get size() {
      return feeds.size;
    },
    get readers() {
      return [...feeds.values()].reduce((sum, feed) => sum + feed.readers, 0);
    },
    close() {
      clearInterval(sweep);
      for (const feed of feeds.values()) feed.close();
      feeds.clear();
    },
  };
}

const toMemo = ({ conversationId, userId, agentId, contentSha256 }: StoredTurn): TurnMemo => ({
  conversationId,
  userId,
  agentId,
  contentSha256,
});

/** The engine is away: what the graph knows is worth telling all the same. */
function toAway(error: unknown): CandorError {
  if (error instanceof CandorError) return error;
  throw error;
}
