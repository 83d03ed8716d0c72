// One socket, without knowing what a socket is: it is given frames, and a way to send and to close. Frames are handled in
// the order in which they came; a bad one is answered by a typed error and changes nothing.

import { setImmediate as tick } from 'node:timers/promises';
import { CandorError, closeCodeOf, toErrorInfo, type ErrorInfo } from '../protocol/errors.ts';
import { startCursor } from '../protocol/cursor.ts';
import { subprotocol, type ClientFrame, type ServerFrame } from '../protocol/frames.ts';
import type { AgentId, ConversationId, TurnId } from '../protocol/ids.ts';
import type { ReadGraph } from '../protocol/ports.ts';
import { parseClientFrame, replyAddress } from '../protocol/schema.ts';
import { cursorOf, stateOf } from '../protocol/transcript.ts';
import type { Caller } from './auth/caller.ts';
import type { ConversationWatch, ConversationWatchers } from './conversation-watchers.ts';
import type { DeliveryMetrics } from './delivery-metrics.ts';
import { sliceChars } from './event-slice.ts';
import { createFeedCursor, type FeedCursor } from './feed-cursor.ts';
import type { GatewayLog } from './gateway-log.ts';
import { toResumePoint, type ResumePoint } from './own-cursor.ts';
import type { TurnFeed } from './turn-feed.ts';
import { toStoredTranscript } from './final-transcript.ts';
import type { TurnFeeds } from './turn-feeds.ts';
import type { TurnService } from './turn-service.ts';

export interface SocketPeer {
  /** Sends frames in order; `sent` is called when the network has taken them. */
  send(frames: readonly string[], sent: () => void): void;
  close(code: number, reason: string): void;
  /** Takes no more from the client, so that its network holds back what it sends. */
  pause(): void;
  resume(): void;
}

export interface SocketSessionDependencies {
  readonly feeds: TurnFeeds;
  readonly turns: TurnService;
  readonly watchers: ConversationWatchers;
  readonly graph: ReadGraph;
  readonly verifyToken: (token: string) => Promise<Caller>;
  readonly metrics: DeliveryMetrics;
  readonly log: GatewayLog;
}

export interface SocketSession {
  receive(raw: string): void;
  /** Milliseconds since the client asked for something, watched, or followed a turn that is open; 0: it does. */
  idleMs(): number;
  /** The peer did not answer a ping in time. */
  unanswered(): void;
  closed(): void;
}

/** Close code of a token that expired while the socket was open. */
const expiredCode = 4401;
/** A peer that takes nothing for so long is closed; it comes back with its cursor. */
const defaultStuckMs = 30_000;
/** Turns a socket follows at once; more are refused until one ends. */
const maxReads = 256;
const maxWatches = 64;
/** Frames that wait to be handled, and answers that wait to be sent. A client that sends more is not read meanwhile. */
const maxPending = 64;
/** Frames that are handled before the other sockets have their turn. */
const framesAtOnce = 16;

export function createSocketSession(
  peer: SocketPeer,
  agentId: AgentId,
  signedIn: Caller,
  dependencies: SocketSessionDependencies,
  stuckMs = defaultStuckMs,
): SocketSession {
  const { feeds, turns, watchers, graph, verifyToken, metrics, log } = dependencies;
  const reads = new Map<TurnId, FeedCursor>();
  /** Of these there may be something to send. */
  const changed = new Set<FeedCursor>();
  const watches = new Map<ConversationId, ConversationWatch>();
  const control: ServerFrame[] = [];
  let caller = signedIn;
  let open = true;
  let sending = false;
  let isStuck = false;
  let scheduled = false;
  const inbox: string[] = [];
  let isHandling = false;
  let paused = false;
  let activeMs = Date.now();
  let stuckTimer: NodeJS.Timeout | undefined;
  let expiryTimer = armExpiry();

  function armExpiry(): NodeJS.Timeout {
    // setTimeout counts in 32 bits; a token of a month is looked at again tomorrow.
    const leftMs = Math.min(caller.expiresAt.getTime() - Date.now(), 24 * 60 * 60_000);
    return setTimeout(
      () => {
        if (caller.expiresAt.getTime() > Date.now()) expiryTimer = armExpiry();
        else peer.close(expiredCode, 'the token has expired');
      },
      Math.max(leftMs, 0),
    ).unref();
  }

  /** Small pieces that come within one tick leave together. */
  const wake = (): void => {
    if (scheduled || sending || !open) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      pump();
    });
  };

  const pump = (): void => {
    if (sending || !open) return;
    const frames = takeFrames();
    if (frames.length === 0) return;
    sending = true;
    stuckTimer = setTimeout(closeStuck, stuckMs).unref();
    peer.send(frames, () => {
      sending = false;
      clearTimeout(stuckTimer);
      if (changed.size > 0 || control.length > 0) wake();
    });
    hearAgain();
  };

  /** One slice. What does not fit comes with the next one, and whoever was first now is last then. */
  const takeFrames = (): readonly string[] => {
    const frames: string[] = [];
    let left = sliceChars;
    const add = (frame: string): void => {
      left -= frame.length;
      frames.push(frame);
    };
    let said = 0;
    for (const frame of control) {
      if (left <= 0) break;
      add(JSON.stringify(frame));
      said += 1;
    }
    control.splice(0, said);
    for (const read of [...changed]) {
      if (left <= 0) break;
      changed.delete(read);
      for (const frame of read.take(left).frames) add(frame);
      if (read.hasMore) changed.add(read);
    }
    return frames;
  };

  /** R43. An error frame would only wait behind what is stuck: the code stands in the close itself. */
  const closeStuck = (): void => {
    const { code } = toErrorInfo('slow_consumer');
    if (isStuck) return;
    isStuck = true;
    metrics.slowClosed();
    log.warn({ code, userId: caller.userId, turns: reads.size }, 'a socket that takes nothing is closed');
    peer.close(closeCodeOf(code), code);
  };

  const say = (frame: ServerFrame): void => {
    if (!open) return;
    control.push(frame);
    hold();
    wake();
  };

  /** Whoever sends without end, or never takes an answer, waits in its own network and not in this process. */
  const hold = (): void => {
    if (paused || inbox.length + control.length < maxPending) return;
    paused = true;
    peer.pause();
  };

  const hearAgain = (): void => {
    if (!paused || inbox.length + control.length > maxPending / 2) return;
    paused = false;
    peer.resume();
  };

  const refuse = (error: ErrorInfo, inReplyTo: string | undefined): void => {
    say({ type: 'error', error, ...(inReplyTo === undefined ? {} : { inReplyTo }) });
  };

  /** @param sinceMs when the client asked, or the turn began */
  const follow = (feed: TurnFeed, cursor: ResumePoint, sinceMs = Date.now()): void => {
    // Whoever has left is not followed for; what they had sent before is done all the same (A9).
    if (!open) return;
    const known = reads.get(feed.turnId);
    if (known !== undefined) return known.seek(cursor);
    makeRoom();
    const touch = (): void => {
      changed.add(read);
      wake();
    };
    const read = createFeedCursor(feed, cursor, {
      sinceMs,
      changed: touch,
      taken: (type, lagMs) => metrics.eventSent('socket', type, lagMs),
    });
    reads.set(feed.turnId, read);
    touch();
  };

  /** Ended turns are let go first: their audit reaches watchers by the conversation. */
  const makeRoom = (): void => {
    if (reads.size < maxReads) return;
    for (const [turnId, read] of reads) {
      if (!read.ended) continue;
      read.close();
      reads.delete(turnId);
      changed.delete(read);
      if (reads.size < maxReads) return;
    }
    throw new CandorError('rate_limited', { facts: { reason: `${maxReads} open turns on one connection` } });
  };

  const watch = async (conversationId: ConversationId): Promise<void> => {
    const { userId } = caller;
    const known = await graph.conversation(userId, conversationId);
    if (!open) return;
    if (!watches.has(conversationId) && watches.size >= maxWatches) {
      throw new CandorError('rate_limited', { facts: { reason: `${maxWatches} conversations on one connection` } });
    }
    watches.get(conversationId)?.end();
    const turnBegan = (feed: TurnFeed): void => {
      try {
        if (!reads.has(feed.turnId)) follow(feed, startCursor);
      } catch (error) {
        // What this device cannot take any more is no other's business.
        if (!(error instanceof CandorError)) throw error;
        refuse(error.info, feed.turnId);
      }
    };
    const watching = watchers.watch(conversationId, { userId, turnBegan });
    watches.set(conversationId, watching);
    // A conversation that nobody has written into yet may be watched: its first turn makes it this user's or another's.
    const stored = known === null ? [] : await graph.turns(conversationId);
    watching.knows(stored.map(({ turnId }) => turnId));
    const states = await Promise.all(
      stored.map(async (turn) => {
        // An ended turn is followed as long as its verdict is to come.
        if (turn.result !== null && (turn.audit !== null || turn.steps.length === 0)) {
          return { turnId: turn.turnId, state: stateOf(toStoredTranscript(turn)) };
        }
        const feed = await feeds.open(turn.turnId, userId).catch(toMissing);
        if (feed === null) return { turnId: turn.turnId, state: 'failed' as const };
        await feed.ready;
        if (!reads.has(turn.turnId)) follow(feed, cursorOf(feed.transcript));
        return { turnId: turn.turnId, state: stateOf(feed.transcript) };
      }),
    );
    say({ type: 'conversation', conversationId, turns: states });
  };

  const handle = async (frame: ClientFrame): Promise<void> => {
    switch (frame.type) {
      case 'message': {
        const { type: _type, conversationId, ...message } = frame;
        const sentMs = Date.now();
        const feed = await turns.send(caller, agentId, conversationId, message);
        if (!reads.has(feed.turnId)) follow(feed, startCursor, sentMs);
        return;
      }
      case 'resume': {
        const feed = await feeds.open(frame.turnId, caller.userId);
        metrics.resumed('socket');
        return follow(feed, await toResumePoint(feed, frame.cursor));
      }
      case 'cancel':
        return turns.cancel(caller, frame.turnId);
      case 'withdraw':
        return turns.withdraw(caller, frame.turnId);
      case 'watch':
        return watch(frame.conversationId);
      case 'unwatch':
        watches.get(frame.conversationId)?.end();
        watches.delete(frame.conversationId);
        return;
      case 'auth': {
        const renewed = await verifyToken(frame.token);
        if (renewed.userId !== caller.userId) throw new CandorError('forbidden');
        caller = renewed;
        if (!open) return;
        clearTimeout(expiryTimer);
        expiryTimer = armExpiry();
      }
    }
  };

  const receive = async (raw: string): Promise<void> => {
    try {
      await handle(parseClientFrame(raw));
    } catch (error) {
      if (error instanceof CandorError) return refuse(error.info, replyAddress(raw));
      log.error({ error }, 'a bug while handling a frame');
      refuse(new CandorError('internal', { facts: { reason: 'an unexpected error' } }).info, replyAddress(raw));
    }
  };

  /** One after the other. Frames that wait for nothing must not keep every other socket waiting. */
  const handleInbox = async (): Promise<void> => {
    if (isHandling) return;
    isHandling = true;
    for (let handled = 1; inbox.length > 0; handled++) {
      await receive(inbox.shift() ?? '');
      hearAgain();
      if (handled % framesAtOnce === 0) await tick();
    }
    isHandling = false;
  };

  say({ type: 'hello', protocol: subprotocol, agentId, user: caller.userId });

  return {
    receive(raw) {
      inbox.push(raw);
      activeMs = Date.now();
      hold();
      void handleInbox();
    },
    idleMs() {
      const isBusy = watches.size > 0 || [...reads.values()].some((read) => !read.ended);
      if (isBusy) activeMs = Date.now();
      return Date.now() - activeMs;
    },
    unanswered() {
      if (sending) closeStuck();
      else peer.close(closeCodeOf('slow_consumer'), 'slow_consumer');
    },
    closed() {
      open = false;
      changed.clear();
      clearTimeout(stuckTimer);
      clearTimeout(expiryTimer);
      for (const read of reads.values()) read.close();
      for (const watching of watches.values()) watching.end();
      reads.clear();
      watches.clear();
    },
  };
}

function toMissing(error: unknown): null {
  if (error instanceof CandorError && error.code === 'turn_not_found') return null;
  throw error;
}
