// One turn as server-sent events, until its terminal: a cursor and what the network has not taken yet, never a queue. Every
// event carries the cursor that its reader has behind it. A reader that takes nothing for too long is let go; it comes
// back with that cursor.

import type { ServerResponse } from 'node:http';
import { startCursor, type Cursor, type CursorFrame } from '../protocol/cursor.ts';
import type { SequencedEvent, TurnEvent } from '../protocol/events.ts';
import { logHash } from '../protocol/log-hash.ts';
import type { DeliveryMetrics } from './delivery-metrics.ts';
import { sliceChars } from './event-slice.ts';
import { createFeedCursor } from './feed-cursor.ts';
import type { ResumePoint } from './own-cursor.ts';
import type { TurnFeed } from './turn-feed.ts';

export interface EventStreamOptions {
  readonly feed: TurnFeed;
  readonly from: ResumePoint;
  /** Headers are not sent yet. */
  readonly raw: ServerResponse;
  /** Of the token. */
  readonly expiresAt: Date;
  readonly metrics: Pick<DeliveryMetrics, 'eventSent' | 'slowClosed'>;
  /** Leaves out what is not to be told; absent: everything is. */
  readonly isTold?: (event: TurnEvent) => boolean;
  /** What an id says beside the cursor. */
  readonly mark?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits?: EventStreamLimits;
}

export interface EventStreamLimits {
  /** Proxies drop a connection on which nothing passes. */
  readonly keepAliveMs: number;
  /** A reader that takes nothing for so long is let go. */
  readonly stuckMs: number;
}

const defaultLimits: EventStreamLimits = { keepAliveMs: 15_000, stuckMs: 30_000 };

/** setTimeout counts in 32 bits. */
const maxTimerMs = 24 * 60 * 60_000;

export function sendEvents(options: EventStreamOptions): void {
  const { feed, from, raw, expiresAt, metrics, isTold = () => true, mark, headers, limits = defaultLimits } = options;
  // Who has left while the turn was looked up is not followed for.
  if (raw.destroyed) return;
  let taken: Cursor[] = [];
  let stuckTimer: NodeJS.Timeout | undefined;
  const hashAt = createLogHashes(feed);

  const pump = (): void => {
    while (!raw.writableNeedDrain && !raw.writableEnded && !raw.destroyed) {
      taken = [];
      const { events, frames } = reader.take(sliceChars);
      const text = events
        .map((event, index) =>
          isTold(event) ? toMessage(event, frames[index] ?? '', taken[index] ?? startCursor) : '',
        )
        .join('');
      if (text !== '') write(text);
      if (reader.ended) raw.end();
      if (!reader.hasMore) return;
    }
  };
  const toMessage = (event: TurnEvent, frame: string, cursor: Cursor): string => {
    const log = hashAt(cursor.seq);
    // A reader that is ahead of this gateway keeps the id that it has.
    const id = log === null ? '' : `id: ${encodeCursor({ ...cursor, ...mark, log })}\n`;
    return `${id}event: ${event.type}\ndata: ${frame}\n\n`;
  };
  const write = (text: string): void => {
    if (raw.write(text)) return;
    stuckTimer ??= setTimeout(() => {
      metrics.slowClosed();
      raw.destroy();
    }, limits.stuckMs).unref();
  };

  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    ...headers,
  });
  const reader = createFeedCursor(feed, from, {
    sinceMs: Date.now(),
    changed: pump,
    taken(type, lagMs, cursor) {
      metrics.eventSent('sse', type, lagMs);
      taken.push(cursor);
    },
  });
  const keepAlive = setInterval(() => {
    if (!raw.writableNeedDrain) write(': still here\n\n');
  }, limits.keepAliveMs).unref();
  const expiry = setTimeout(
    () => {
      if (expiresAt.getTime() <= Date.now()) raw.end();
    },
    Math.min(Math.max(expiresAt.getTime() - Date.now(), 0), maxTimerMs),
  ).unref();
  raw.on('drain', () => {
    clearTimeout(stuckTimer);
    stuckTimer = undefined;
    pump();
  });
  raw.once('close', () => {
    reader.close();
    clearInterval(keepAlive);
    clearTimeout(stuckTimer);
    clearTimeout(expiry);
  });
  // Swallowed: `close` follows, and whoever left comes back or does not.
  raw.on('error', () => undefined);
  write(': candor\n\n');
  pump();
}

const encodeCursor = (cursor: CursorFrame): string => Buffer.from(JSON.stringify(cursor), 'utf8').toString('base64url');

/** The hash of the log up to an event, made once for each; `null`: the log has not come so far. */
function createLogHashes(feed: TurnFeed): (seq: number) => string | null {
  let last: SequencedEvent | undefined;
  let hash = logHash([]);
  return (seq) => {
    const { log } = feed.transcript;
    if (seq > log.length) return null;
    const event = log[seq - 1];
    // An event that was corrected is another object, and so is every event behind it.
    if (event !== last) [last, hash] = [event, logHash(log, seq)];
    return hash;
  };
}
