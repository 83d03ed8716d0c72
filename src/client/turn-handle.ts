// One turn as its user holds it.

import type { ErrorInfo } from '../protocol/errors.ts';
import type { TurnEvent } from '../protocol/events.ts';
import type { ConversationId, TurnId } from '../protocol/ids.ts';
import type { Transcript, TurnState } from '../protocol/transcript.ts';
import type { TurnItem } from './reading.ts';

/** What a listener is told. `event` is `null` when something else than the transcript has changed, as a refusal. */
export interface TurnChange {
  readonly event: TurnEvent | null;
  readonly before: Transcript;
  readonly after: Transcript;
}

export interface EventsOptions {
  /** `end` (default): the iterator is done behind the terminal event. `verdict`: it waits for the audit's verdict too. */
  readonly until?: 'end' | 'verdict';
}

export interface TurnHandle extends AsyncIterable<TurnItem> {
  readonly turnId: TurnId;
  /** `null` for a turn that was resumed, until its first event. */
  readonly conversationId: ConversationId | null;
  readonly transcript: Transcript;
  /** `unsent`: no gateway has accepted the message yet. */
  readonly state: TurnState | 'unsent';
  /** The answer so far; empty for a failed turn. */
  readonly text: string;
  /** Why a frame of this turn was refused; `null` when it was not, or goes on since. A retryable one is sent again by itself. */
  readonly refusal: ErrorInfo | null;
  /** A stop or a withdrawal is on its way and the turn is not over. */
  readonly stopRequested: boolean;
  /** Resolves when the turn is durable (R4). Rejects with {@link CandorClientError} when it is refused for good. */
  readonly accepted: Promise<void>;
  /** Resolves with the terminal event in the transcript, whichever it is. Rejects as `accepted` does. */
  readonly ended: Promise<Transcript>;
  /** Called with every change; returns what ends it. */
  subscribe(listener: (change: TurnChange) => void): () => void;
  /**
   * Every event once and in order, from the first one or from where the turn was resumed, text as deltas. It is not
   * interrupted by lost connections. A slow loop gets larger deltas and no text of discarded attempts.
   *
   * @throws CandorClientError when the turn is refused for good or the client is closed
   */
  events(options?: EventsOptions): AsyncGenerator<TurnItem, void, undefined>;
  /** Resolves as soon as it holds, at once when it does. Rejects when no more will come: refused for good, or closed. */
  until(holds: (turn: TurnHandle) => boolean): Promise<void>;
  /**
   * Stops the turn (R9), and asks again until it is over or the stop is refused for good. Resolves with the ended turn,
   * which may have completed meanwhile.
   */
  stop(): Promise<Transcript>;
  /** As `stop`, for a turn that still waits in the queue; one that has begun goes on to its end. */
  withdraw(): Promise<Transcript>;
  /**
   * Lets the call of a tool go on, with the arguments that the person has read; an event tells what became of it. False:
   * not connected, nothing was sent. Reserved until a gateway has tools that ask.
   */
  approve(callId: string, argumentsSha256: string): boolean;
  /** As `approve`, for a call that must not be made. */
  deny(callId: string, argumentsSha256: string): boolean;
  /** Nothing more is sent for it here, and the outbox has it no more; the turn itself goes on. */
  forget(): void;
}
