// A conversation as several devices see it: which turns it has, and every event of it from now on, whoever wrote them.

import type { ErrorInfo } from '../protocol/errors.ts';
import type { TurnEvent } from '../protocol/events.ts';
import type { ClientFrame, ConversationFrame } from '../protocol/frames.ts';
import type { ConversationId, TurnId } from '../protocol/ids.ts';
import type { TurnState } from '../protocol/transcript.ts';
import type { Clock } from './clock.ts';
import type { Turn } from './turn.ts';
import type { TurnHandle } from './turn-handle.ts';

export interface WatchedTurn {
  readonly turnId: TurnId;
  readonly state: TurnHandle['state'];
  /** `null`: it was over before; `resume` plays it back. */
  readonly turn: TurnHandle | null;
}

export type WatchChange = 'listed' | 'turn' | 'refused';

export interface ConversationWatch {
  readonly conversationId: ConversationId;
  /** In the order in which they became known; empty until the gateway has answered. */
  readonly turns: readonly WatchedTurn[];
  /** Why the gateway did not let it be watched. Asked again with the next connection, when it is retryable before. */
  readonly refusal: ErrorInfo | null;
  /** Told when the gateway listed the turns, when one is new here, and when watching was refused. */
  subscribe(listener: (what: WatchChange) => void): () => void;
  close(): void;
}

/** What the client does with it. */
export interface Watch extends ConversationWatch {
  connected(): void;
  told(frame: ConversationFrame): void;
  refused(error: ErrorInfo): void;
  /** An event of the conversation. */
  receive(event: TurnEvent): void;
}

export interface WatchOptions {
  readonly conversationId: ConversationId;
  readonly clock: Clock;
  readonly send: (frame: ClientFrame) => boolean;
  /** The turn as this client holds it; made when it is new. */
  readonly turnOf: (turnId: TurnId) => Turn;
  readonly onClosed: () => void;
}

const retryAfterRefusalMs = 3_000;

export function createWatch({ conversationId, clock, send, turnOf, onClosed }: WatchOptions): Watch {
  /** As the gateway told it; the turn's own transcript is newer where there is one. */
  const states = new Map<TurnId, TurnState>();
  const turns = new Map<TurnId, { readonly turn: Turn; readonly release: () => void }>();
  const listeners = new Set<(what: WatchChange) => void>();
  let refusal: ErrorInfo | null = null;
  let cancelTimer = (): void => undefined;

  const tell = (what: WatchChange): void => {
    for (const listener of [...listeners]) listener(what);
  };
  const hold = (turnId: TurnId): Turn => {
    const known = turns.get(turnId);
    if (known !== undefined) return known.turn;
    const turn = turnOf(turnId);
    // Held as long as the conversation is watched: a verdict comes long after the end.
    turns.set(turnId, { turn, release: turn.subscribe(() => undefined) });
    return turn;
  };
  const ask = (): void => void send({ type: 'watch', conversationId });

  ask();
  return {
    conversationId,
    get turns() {
      return [...new Set([...states.keys(), ...turns.keys()])].map((turnId) => {
        const turn = turns.get(turnId)?.turn ?? null;
        const told = states.get(turnId) ?? 'accepted';
        return { turnId, turn, state: turn !== null && turn.transcript.log.length > 0 ? turn.state : told };
      });
    },
    get refusal() {
      return refusal;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      cancelTimer();
      listeners.clear();
      send({ type: 'unwatch', conversationId });
      for (const { release } of turns.values()) release();
      turns.clear();
      onClosed();
    },
    connected: ask,
    told(frame) {
      refusal = null;
      for (const { turnId, state } of frame.turns) {
        states.set(turnId, state);
        // What is over is not played back; what is open is followed from its start.
        if (!isEnd(state)) hold(turnId).follow();
      }
      tell('listed');
    },
    refused(error) {
      refusal = error;
      if (error.retryable) {
        cancelTimer();
        cancelTimer = clock.after(error.retryAfterMs ?? retryAfterRefusalMs, ask);
      }
      tell('refused');
    },
    receive(event) {
      const isNew = !turns.has(event.turnId);
      const turn = hold(event.turnId);
      // Before its event, so that who listens to the turn from now on misses nothing of it.
      if (isNew) tell('turn');
      // From its first event on the gateway sends it by itself; a verdict is all that comes of an ended turn.
      if (event.type === 'turn_accepted') turn.isSent();
      turn.receive(event);
    },
  };
}

const isEnd = (state: TurnState): boolean => state === 'completed' || state === 'failed' || state === 'cancelled';
