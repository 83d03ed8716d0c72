// The way out of a process: events wait until the tick is over and leave together, turn by turn. Nothing waits for an
// answer before more is sent. What waits and what is under way is bounded: when the other side is away or slow, text
// grows together, and when even that is too much, the turn that has waited longest is left to the durable side.

import type { TurnEvent } from '../protocol/events.ts';
import type { ConversationId, TurnId } from '../protocol/ids.ts';
import { appendEvent } from './lane-entry.ts';

/** Events of one turn that leave together; never empty. */
export interface TurnBatch {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly events: TurnEvent[];
  chars: number;
}

export interface LaneWriterOptions {
  readonly isReady: () => boolean;
  /** `lost`: the connection ended before the answer; the events are sent again, perhaps for the second time. */
  readonly send: (batches: readonly TurnBatch[]) => Promise<'answered' | 'lost'>;
  /** Characters that may wait, and as many may be under way. */
  readonly maxChars: number;
}

export interface LaneWriter {
  /** Never throws, never waits. */
  write(event: TurnEvent): void;
  /** Sends what waits, when it may. */
  flush(): void;
  /** Resolves when nothing waits or is under way, or nothing can be sent. */
  settled(): Promise<void>;
  /** What waits and what is under way. */
  readonly heldChars: number;
}

/** What an event weighs beside its text. */
const envelopeChars = 256;

const charsOf = (event: TurnEvent): number => envelopeChars + ('text' in event ? event.text.length : 0);

export function createLaneWriter({ isReady, send, maxChars }: LaneWriterOptions): LaneWriter {
  let waiting = new Map<TurnId, TurnBatch>();
  let waitingChars = 0;
  let underWayChars = 0;
  let isScheduled = false;
  const underWay = new Set<Promise<void>>();

  const add = (event: TurnEvent): void => {
    const { turnId, conversationId } = event;
    const known = waiting.get(turnId);
    const batch: TurnBatch = known ?? { turnId, conversationId, events: [], chars: 0 };
    if (known === undefined) waiting.set(turnId, batch);
    const { length } = batch.events;
    appendEvent(batch.events, event);
    const chars = charsOf(event) - (batch.events.length === length ? envelopeChars : 0);
    batch.chars += chars;
    waitingChars += chars;
    while (waitingChars > maxChars) dropOldest();
  };

  const dropOldest = (): void => {
    for (const [turnId, { chars }] of waiting) {
      waiting.delete(turnId);
      waitingChars -= chars;
      return;
    }
  };

  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      flush();
    });
  };

  const flush = (): void => {
    if (waiting.size === 0 || underWayChars >= maxChars || !isReady()) return;
    const batches = [...waiting.values()];
    const chars = waitingChars;
    waiting = new Map();
    waitingChars = 0;
    underWayChars += chars;
    const sent = send(batches).then((outcome) => {
      underWayChars -= chars;
      underWay.delete(sent);
      // Lost, it waits for the next connection: the old one may look ready for a while yet.
      if (outcome === 'lost') sendAgain(batches);
      else flush();
    });
    underWay.add(sent);
  };

  /** Before what came meanwhile. */
  const sendAgain = (batches: readonly TurnBatch[]): void => {
    const later = waiting;
    waiting = new Map();
    waitingChars = 0;
    for (const { events } of [...batches, ...later.values()]) for (const event of events) add(event);
  };

  return {
    write(event) {
      add(event);
      schedule();
    },
    flush,
    async settled() {
      flush();
      while (underWay.size > 0) await Promise.all(underWay);
    },
    get heldChars() {
      return waitingChars + underWayChars;
    },
  };
}
