// The way into a process: one subscription for each turn that somebody follows here, however many do. A follower is
// first told what the lane still holds, then what comes; what comes meanwhile is kept back, so that it does not take the
// one for a gap in the other. After a lost connection each goes on behind the last entry that it saw.

import type { TurnEvent } from '../protocol/events.ts';
import type { TurnId } from '../protocol/ids.ts';

export interface HeldPage {
  /** Oldest first. */
  readonly entries: readonly { readonly id: string; readonly events: readonly TurnEvent[] }[];
  readonly isLast: boolean;
}

export interface LaneReaderOptions {
  readonly isReady: () => boolean;
  /** Resolves when every later entry of these turns will be handed to `take`. False: the connection was lost. */
  readonly subscribe: (turnIds: readonly TurnId[]) => Promise<boolean>;
  readonly unsubscribe: (turnId: TurnId) => void;
  /** Entries after `id`, or from the first. `null`: the connection was lost. */
  readonly readAfter: (turnId: TurnId, id: string | null) => Promise<HeldPage | null>;
}

export interface LaneReader {
  /** Returns the end of the following. */
  follow(turnId: TurnId, listener: (event: TurnEvent) => void): () => void;
  /** An entry that has just come. @param id `null`: it was published here and has none yet */
  take(turnId: TurnId, id: string | null, events: readonly TurnEvent[]): void;
  /** The connection is there, perhaps again: what was missed is read. */
  resume(): Promise<void>;
}

interface Follower {
  readonly turnId: TurnId;
  readonly listener: (event: TurnEvent) => void;
  /** The last entry that it saw. */
  lastId: string | null;
  /** Events that came while older ones are read; `null`: none are. */
  held: TurnEvent[] | null;
  /** Its readings, one after the other. */
  reading: Promise<void>;
}

/** So many are subscribed by one command, and so many read what they missed at once. */
const turnsAtOnce = 500;
const readingsAtOnce = 8;

export function createLaneReader({ isReady, subscribe, unsubscribe, readAfter }: LaneReaderOptions): LaneReader {
  const followers = new Map<TurnId, Set<Follower>>();

  const tell = (follower: Follower, events: readonly TurnEvent[]): void => {
    if (follower.held !== null) follower.held.push(...events);
    else for (const event of events) follower.listener(event);
  };

  const isThere = (follower: Follower): boolean => followers.get(follower.turnId)?.has(follower) ?? false;

  /** A reading that fails is left: the connection was lost, and when it is back, `resume` reads on. */
  const catchUp = async (follower: Follower): Promise<void> => {
    const { turnId, listener } = follower;
    follower.held = [];
    for (let isLast = false; !isLast && isThere(follower);) {
      const page = await readAfter(turnId, follower.lastId);
      if (page === null) break;
      for (const { id, events } of page.entries) {
        follower.lastId = id;
        if (isThere(follower)) for (const event of events) listener(event);
      }
      isLast = page.isLast;
    }
    const { held } = follower;
    follower.held = null;
    if (isThere(follower)) for (const event of held) listener(event);
  };

  const read = (follower: Follower): Promise<void> => {
    follower.reading = follower.reading.then(() => catchUp(follower));
    return follower.reading;
  };

  const begin = async (follower: Follower): Promise<void> => {
    if (await subscribe([follower.turnId])) await read(follower);
  };

  return {
    follow(turnId, listener) {
      const follower: Follower = { turnId, listener, lastId: null, held: null, reading: Promise.resolve() };
      const all = followers.get(turnId);
      if (all === undefined) followers.set(turnId, new Set([follower]));
      else all.add(follower);
      if (isReady()) void begin(follower);
      return () => {
        const rest = followers.get(turnId);
        if (rest === undefined || !rest.delete(follower) || rest.size > 0) return;
        followers.delete(turnId);
        unsubscribe(turnId);
      };
    },
    take(turnId, id, events) {
      for (const follower of [...(followers.get(turnId) ?? [])]) {
        if (id !== null && follower.held === null) follower.lastId = id;
        tell(follower, events);
      }
    },
    async resume() {
      const turnIds = [...followers.keys()];
      for (let n = 0; n < turnIds.length; n += turnsAtOnce) {
        if (!(await subscribe(turnIds.slice(n, n + turnsAtOnce)))) return;
      }
      const waiting = [...followers.values()].flatMap((all) => [...all]);
      const readInTurn = async (): Promise<void> => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await read(next);
      };
      await Promise.all(Array.from({ length: readingsAtOnce }, readInTurn));
    },
  };
}
