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
  /** An entry that has just come. @param id `null`: published here, and told at once, whatever Redis does */
  take(turnId: TurnId, id: string | null, events: readonly TurnEvent[]): void;
  /** The connection is there, perhaps again: what was missed is read. */
  resume(): Promise<void>;
}

interface Follower {
  readonly turnId: TurnId;
  readonly listener: (event: TurnEvent) => void;
  /** The last entry before which it has missed nothing. */
  lastId: string | null;
  /** What comes while older entries are read; `null`: none are. */
  held: LiveEntry[] | null;
  /** How often the connection came, and for which of these times it has read what it had missed. */
  connections: number;
  readFor: number;
  /** Its readings, one after the other. */
  reading: Promise<void>;
}

interface LiveEntry {
  readonly id: string;
  readonly events: readonly TurnEvent[];
}

/** So many are subscribed by one command, and so many read what they missed at once. */
const turnsAtOnce = 500;
const readingsAtOnce = 8;

export function createLaneReader({ isReady, subscribe, unsubscribe, readAfter }: LaneReaderOptions): LaneReader {
  const followers = new Map<TurnId, Set<Follower>>();

  const tell = (follower: Follower, events: readonly TurnEvent[]): void => {
    for (const event of events) {
      if (isThere(follower)) follower.listener(event);
    }
  };

  const tellLive = (follower: Follower, { id, events }: LiveEntry): void => {
    // While something before it may be missing, it must not count as the last one.
    const isBehind = follower.readFor < follower.connections;
    if (!isBehind) {
      if (follower.lastId !== null && !isLater(id, follower.lastId)) return;
      follower.lastId = id;
    }
    tell(follower, events);
  };

  const isThere = (follower: Follower): boolean => followers.get(follower.turnId)?.has(follower) ?? false;

  /** From here on what comes is held back. */
  const holdBack = (follower: Follower): void => {
    follower.connections += 1;
    follower.held ??= [];
  };

  const release = (follower: Follower): void => {
    const held = follower.held ?? [];
    follower.held = null;
    for (const entry of held) tellLive(follower, entry);
  };

  /** False: the connection was lost. When it is back, `resume` reads on. */
  const readMissed = async (follower: Follower): Promise<boolean> => {
    while (isThere(follower)) {
      const page = await readAfter(follower.turnId, follower.lastId);
      if (page === null) return false;
      for (const { id, events } of page.entries) {
        follower.lastId = id;
        tell(follower, events);
      }
      if (page.isLast) return true;
    }
    return true;
  };

  const catchUp = async (follower: Follower): Promise<void> => {
    const { connections } = follower;
    follower.held ??= [];
    if (await readMissed(follower)) follower.readFor = connections;
    release(follower);
  };

  const read = (follower: Follower): Promise<void> => {
    follower.reading = follower.reading.then(() => catchUp(follower));
    return follower.reading;
  };

  const begin = async (follower: Follower): Promise<void> => {
    holdBack(follower);
    if (await subscribe([follower.turnId])) await read(follower);
    else release(follower);
  };

  return {
    follow(turnId, listener) {
      const follower: Follower = {
        turnId,
        listener,
        lastId: null,
        held: null,
        connections: 0,
        readFor: 0,
        reading: Promise.resolve(),
      };
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
        if (id === null) tell(follower, events);
        else if (follower.held === null) tellLive(follower, { id, events });
        else follower.held.push({ id, events });
      }
    },
    async resume() {
      const waiting = [...followers.values()].flatMap((all) => [...all]);
      for (const follower of waiting) holdBack(follower);
      const turnIds = [...followers.keys()];
      for (let n = 0; n < turnIds.length; n += turnsAtOnce) {
        if (await subscribe(turnIds.slice(n, n + turnsAtOnce))) continue;
        return waiting.forEach(release);
      }
      const readInTurn = async (): Promise<void> => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await read(next);
      };
      await Promise.all(Array.from({ length: readingsAtOnce }, readInTurn));
    },
  };
}

/** Ids of entries are a time and a count, with a dash between. */
function isLater(id: string, than: string): boolean {
  const [ms, count] = id.split('-').map(Number);
  const [thanMs, thanCount] = than.split('-').map(Number);
  return ms === thanMs ? (count ?? 0) > (thanCount ?? 0) : (ms ?? 0) > (thanMs ?? 0);
}
