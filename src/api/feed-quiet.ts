// The words to the readers of an open turn while nothing happens: what everybody waits for, said again and again, and what
// is away, as soon as a look has found it.

import type { Waiting } from '../protocol/events.ts';
import { applyEvent } from '../protocol/transcript.ts';
import type { FeedState } from './feed-state.ts';
import { reasonOf, type Away } from './feed-waiting.ts';

export interface FeedQuiet {
  /** Something changed: from here on a reader never waits longer than the quiet time for a word. */
  changed(): void;
  /** The turn went on. */
  progressed(): void;
  /** What is away, as it was found. Told once, repeated by the timer, taken back when it is there again. */
  found(away: Away | null): void;
  /** When the turn last went on, epoch milliseconds. */
  readonly lastEventMs: number;
  end(): void;
}

/** @param quietMs without an event after which readers are told */
export function createFeedQuiet(state: FeedState, quietMs: number): FeedQuiet {
  const { turnId, memo } = state;
  let away: Away | null = null;
  let lastEventMs = Date.now();
  let changedMs = lastEventMs;
  let timer: NodeJS.Timeout | undefined;

  const tell = ({ reason, error, until }: Away): void => {
    if (state.isOver) return;
    const last = state.transcript.log.at(-1);
    const due = last?.type === 'attempt_failed' ? last.retryAt : until;
    const waiting: Waiting = {
      type: 'waiting',
      turnId,
      conversationId: memo.conversationId,
      time: new Date().toISOString(),
      reason,
      since: new Date(lastEventMs).toISOString(),
      ...(due === undefined ? {} : { until: due }),
      ...(error === undefined ? {} : { error }),
    };
    state.set(applyEvent(state.transcript, waiting));
  };

  /** One timer for many changes: text changes a turn hundreds of times a second. */
  const arm = (ms: number): NodeJS.Timeout => setTimeout(lookWhetherQuiet, ms).unref();
  const lookWhetherQuiet = (): void => {
    timer = undefined;
    if (state.isOver) return;
    const leftMs = changedMs + quietMs - Date.now();
    // What is told is a change, from which the time counts anew.
    if (leftMs <= 0) tell(away ?? { reason: state.transcript.waiting?.reason ?? reasonOf(state.transcript) });
    else timer = arm(leftMs);
  };
  const end = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };

  return {
    get lastEventMs() {
      return lastEventMs;
    },
    changed() {
      changedMs = Date.now();
      if (state.isOver) return end();
      timer ??= arm(quietMs);
    },
    progressed() {
      away = null;
      lastEventMs = Date.now();
    },
    found(next) {
      const before = away;
      away = next;
      const told = state.transcript.waiting;
      if (next === null) {
        if (before !== null && told?.reason === before.reason) tell({ reason: reasonOf(state.transcript) });
      } else if (told?.reason !== next.reason || told.error?.code !== next.error?.code) tell(next);
    },
    end,
  };
}
