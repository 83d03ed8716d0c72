// The live lane between processes, through Redis or Valkey: a stream for each turn, from which a late subscriber reads
// what there was, and a channel of the same name, by which what comes is pushed (ADR 0015). Two connections a process,
// however many turns. Within the process events go straight to their listeners. Redis away, wiped or slow costs
// latency only, so nothing here ever fails: it reports.

import { randomBytes } from 'node:crypto';
import type { TurnEvent } from '../protocol/events.ts';
import { isUuid, type ConversationId, type TurnId } from '../protocol/ids.ts';
import type { BegunTurn, LiveLane } from '../protocol/ports.ts';
import { parseEntry, toEntry } from './lane-entry.ts';
import { createLaneNames } from './lane-names.ts';
import { createLaneReader, type HeldPage } from './lane-reader.ts';
import { createLaneWriter, type TurnBatch } from './lane-writer.ts';
import { createConnection } from './redis-connection.ts';
import { createStopListeners } from './stop-listeners.ts';

/** `refused`: connected, and an entry could not be kept; late subscribers of its turn wait for the durable side. */
export type LaneReport =
  | { readonly state: 'connected' }
  | { readonly state: 'away'; readonly reason: string }
  | { readonly state: 'refused'; readonly reason: string };

export interface RedisLaneOptions {
  /** `redis://` or `rediss://`, with user and password where there are some. */
  readonly url: string;
  /** Deployments that share a Redis differ in it. */
  readonly namespace: string;
  /** Told of each change of state. */
  readonly report: (report: LaneReport) => void;
  readonly limits?: Partial<RedisLaneLimits>;
}

export interface RedisLaneLimits {
  /** Entries of a turn, about; older ones go. */
  readonly maxEntries: number;
  /** A turn without entries for so long is forgotten. */
  readonly idleMs: number;
  /** The same, after what is published last of a turn. */
  readonly endedMs: number;
  /** Characters that may wait for Redis, and as many may be under way. */
  readonly maxChars: number;
  /** A connection that has not answered for so long is made anew. */
  readonly silenceMs: number;
}

const defaultLimits: RedisLaneLimits = {
  maxEntries: 4_096,
  idleMs: 5 * 60_000,
  endedMs: 60_000,
  maxChars: 1024 * 1024,
  silenceMs: 5_000,
};

const pageEntries = 500;
/** What still waits is given so long when the process ends. */
const closeMs = 500;
/** A turn's terminal never comes by the lane: what comes right before it, and after. */
const lastTypes: ReadonlySet<TurnEvent['type']> = new Set([
  'audit_started',
  'agent_failed',
  'audit_completed',
  'audit_failed',
]);

export function createRedisLane({ url, namespace, report, limits: given }: RedisLaneOptions): LiveLane {
  const limits = { ...defaultLimits, ...given };
  const names = createLaneNames(namespace);
  const stops = createStopListeners();
  const announced = new Set<(begun: BegunTurn) => void>();
  const from = randomBytes(6).toString('base64url');
  let told: LaneReport['state'] | null = null;
  let isClosed = false;

  const tell = (next: LaneReport): void => {
    if (told === next.state || isClosed) return;
    told = next.state;
    report(next);
  };
  const onReady = (): void => {
    if (out.isReady) writer.flush();
    if (!out.isReady || !into.isReady || isClosed) return;
    tell({ state: 'connected' });
    void resume();
  };
  const onLost = (reason: string): void => tell({ state: 'away', reason });
  const { silenceMs } = limits;
  const out = createConnection({ url, name: 'candor-lane-out', silenceMs, onReady, onLost });
  const into = createConnection({ url, name: 'candor-lane-in', silenceMs, onReady, onLost });

  /** A command without a result: refused, which is told here, or lost with its connection, which is told there. */
  const fail = (error: Error): 'refused' | 'lost' => {
    if (!isReply(error)) return 'lost';
    tell({ state: 'refused', reason: error.message.split(' ')[0] ?? '' });
    return 'refused';
  };

  const send = async (batches: readonly TurnBatch[]): Promise<'answered' | 'lost'> => {
    const pipeline = out.redis.pipeline();
    for (const { turnId, conversationId, events } of batches) {
      const keepMs = events.some(({ type }) => lastTypes.has(type)) ? limits.endedMs : limits.idleMs;
      const entry = toEntry(conversationId, events);
      pipeline.candorAppend(names.ofTurn(turnId), limits.maxEntries, keepMs, from, entry);
    }
    const results = (await pipeline.exec()) ?? [];
    const failures = results.flatMap(([error]) => (error === null ? [] : [fail(error)]));
    if (failures.length === 0 && told === 'refused') tell({ state: 'connected' });
    return failures.includes('lost') ? 'lost' : 'answered';
  };
  const writer = createLaneWriter({ isReady: () => out.isReady, send, maxChars: limits.maxChars });

  /** `null`: there is no result, as told. */
  const ask = <Reply>(command: Promise<Reply>): Promise<Reply | null> =>
    command.catch((error: Error) => {
      fail(error);
      return null;
    });

  const subscribe = async (channels: readonly string[]): Promise<boolean> =>
    (await ask(into.redis.subscribe(...channels))) !== null;

  const readAfter = async (turnId: TurnId, id: string | null): Promise<HeldPage | null> => {
    const start = id === null ? '-' : `(${id}`;
    const entries = await ask(out.redis.xrange(names.ofTurn(turnId), start, '+', 'COUNT', pageEntries));
    if (entries === null) return null;
    return {
      entries: entries.map(([entryId, fields]) => ({ id: entryId, events: parseEntry(turnId, fields[1] ?? '') })),
      isLast: entries.length < pageEntries,
    };
  };

  const reader = createLaneReader({
    isReady: () => into.isReady && out.isReady,
    subscribe: (turnIds) => subscribe(turnIds.map((turnId) => names.ofTurn(turnId))),
    unsubscribe(turnId) {
      // With the connection its subscriptions end too.
      if (into.isReady) void ask(into.redis.unsubscribe(names.ofTurn(turnId)));
    },
    readAfter,
  });

  const resume = async (): Promise<void> => {
    if (await subscribe([names.stops, names.begun])) await reader.resume();
  };

  into.redis.on('message', (channel: string, message: string) => {
    if (channel === names.stops) return takeStop(message);
    if (channel === names.begun) return takeBegun(message);
    const idEnd = message.indexOf(' ');
    const fromEnd = message.indexOf(' ', idEnd + 1);
    const id = message.slice(0, idEnd);
    const turnId = names.toTurn(channel);
    // What this process published its own listeners have.
    const isOwn = message.slice(idEnd + 1, fromEnd) === from;
    reader.take(turnId, id === '-' ? null : id, isOwn ? [] : parseEntry(turnId, message.slice(fromEnd + 1)));
  });

  const takeStop = (message: string): void => {
    const [sender, turnId, requestedAt] = message.split(' ');
    if (sender !== from && turnId !== undefined && requestedAt !== undefined) stops.tell(turnId as TurnId, requestedAt);
  };

  const takeBegun = (message: string): void => {
    const [sender, turnId, conversationId] = message.split(' ');
    // What lies in that Redis may be anybody's: ids that are none lead nowhere.
    if (sender === from || !isUuid(turnId) || !isUuid(conversationId)) return;
    const begun = { turnId: turnId as TurnId, conversationId: conversationId as ConversationId };
    for (const listener of [...announced]) listener(begun);
  };

  return {
    publish(event) {
      if (isClosed) return;
      reader.take(event.turnId, null, [event]);
      writer.write(event);
    },
    subscribe: (turnId, listener) => reader.follow(turnId, listener),
    requestStop(turnId, requestedAt) {
      stops.tell(turnId, requestedAt);
      // A stop that does not arrive by the lane arrives with the next heartbeat.
      if (out.isReady) void ask(out.redis.publish(names.stops, `${from} ${turnId} ${requestedAt}`));
    },
    onStop: (turnId, listener) => stops.listen(turnId, listener),
    announce({ turnId, conversationId }) {
      // One that does not arrive is found in the graph.
      if (out.isReady) void ask(out.redis.publish(names.begun, `${from} ${turnId} ${conversationId}`));
    },
    onAnnounced(listener) {
      announced.add(listener);
      return () => void announced.delete(listener);
    },
    status: () => ({ kind: 'redis', connected: out.isReady && into.isReady }),
    async close() {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([writer.settled(), new Promise((resolve) => (timer = setTimeout(resolve, closeMs)))]);
      clearTimeout(timer);
      isClosed = true;
      await Promise.all([out.close(), into.close()]);
    },
  };
}

/** Redis answered, with an error: the connection is there. */
const isReply = (error: Error): boolean => error.name === 'ReplyError';
