// Follows one turn over any number of connections: delivers its message until it is accepted, resumes from its cursor,
// fetches what a gap or a correction hides, and asks again for what a lost connection may have swallowed.

import type { ErrorInfo } from '../protocol/errors.ts';
import type { TurnEvent } from '../protocol/events.ts';
import type { ClientFrame, DecisionFrame } from '../protocol/frames.ts';
import type { ConversationId, TurnId } from '../protocol/ids.ts';
import { toCursorFrame } from '../protocol/log-hash.ts';
import {
  answerOf,
  applyEvent,
  emptyTranscript,
  hasGap,
  stateOf,
  terminalOf,
  type Transcript,
} from '../protocol/transcript.ts';
import { CandorClientError } from './client-error.ts';
import type { Clock } from './clock.ts';
import type { Outbox, Outgoing } from './outbox.ts';
import { createSettled, type Settled } from './settled.ts';
import type { TurnChange, TurnHandle } from './turn-handle.ts';
import { awaitsVerdict, readItems } from './turn-items.ts';

export interface TurnOptions {
  readonly turnId: TurnId;
  /** `null`: the message is another's, or was delivered long ago. */
  readonly message: Outgoing | null;
  readonly from: Transcript;
  readonly clock: Clock;
  readonly outbox: Outbox;
  /** False: not connected. */
  readonly send: (frame: ClientFrame | DecisionFrame) => boolean;
  /** Somebody looks at the turn again, or nobody does. */
  readonly onInterest: (turn: Turn) => void;
  readonly onForgotten: () => void;
}

/** What the client does with a turn, beside what its user may. */
export interface Turn extends TurnHandle {
  /** A fresh connection: nothing of what was asked before counts. */
  connected(): void;
  receive(event: TurnEvent): void;
  refused(error: ErrorInfo): void;
  /** Its events are wanted from now on. */
  follow(): void;
  /** The gateway sends its events without being asked. */
  isSent(): void;
  end(failure: CandorClientError): void;
  /** Frames for it have to find it. */
  readonly isHeld: boolean;
  /** A gateway that is well says a word about it in time (R18). */
  readonly isWordDue: boolean;
  readonly failure: CandorClientError | null;
}

const gapCheckMs = 2_000;
const retryAfterRefusalMs = 3_000;

export function createTurn(options: TurnOptions): Turn {
  const { turnId, from, clock, outbox, send, onInterest } = options;
  let { message } = options;
  let transcript = from;
  let refusal: ErrorInfo | null = null;
  let failure: CandorClientError | null = null;
  let intent: { readonly how: 'cancel' | 'withdraw'; readonly done: Settled<Transcript> } | null = null;
  /** Its events come, or were asked for, on the present connection. */
  let asked = false;
  let isFollowed = message !== null;
  let verdictWaiters = 0;
  let cancelTimer: (() => void) | null = null;
  const listeners = new Set<(change: TurnChange) => void>();
  const accepted = createSettled<void>();
  const ended = createSettled<Transcript>();

  const isOver = (): boolean => terminalOf(transcript) !== null;
  const isWanted = (): boolean => {
    if (failure !== null) return false;
    if (isOver()) return verdictWaiters > 0 && awaitsVerdict(transcript);
    return isFollowed;
  };

  const tell = (event: TurnEvent | null, before: Transcript): void => {
    for (const listener of [...listeners]) listener({ event, before, after: transcript });
  };

  const toFrame = (): ClientFrame => {
    if (message !== null && !message.accepted && transcript.log.length === 0) return toMessage(message);
    const nothingYet = transcript.log.length === 0 && transcript.streams.length === 0;
    return { type: 'resume', turnId, ...(nothingYet ? {} : { cursor: toCursorFrame(transcript) }) };
  };

  /** Asks for what is wanted and was not asked for on this connection. */
  const bring = (): void => {
    if (!isWanted() || asked || !send(toFrame())) return;
    asked = true;
    if (intent !== null) send({ type: intent.how, turnId });
  };
  const again = (): void => {
    asked = false;
    bring();
  };

  /** One timer: whichever reason came first, everything that is still wanted is asked for again. */
  const later = (delayMs: number, isStillNeeded: () => boolean): void => {
    cancelTimer ??= clock.after(delayMs, () => {
      cancelTimer = null;
      if (!isStillNeeded()) return;
      again();
      if (hasGap(transcript)) later(gapCheckMs, () => hasGap(transcript));
    });
  };

  const receive = (event: TurnEvent): void => {
    const before = transcript;
    transcript = applyEvent(before, event);
    if (transcript === before || failure !== null) return;
    if (before.log.length === 0 && transcript.log.length > 0) {
      accepted.resolve();
      if (message !== null) {
        message = { ...message, accepted: true };
        outbox.accept(turnId);
      }
    }
    // A stop that was refused for a while is not over because the answer goes on.
    if (intent === null) refusal = null;
    if (isOver()) {
      refusal = null;
      outbox.remove(turnId);
      intent?.done.resolve(transcript);
      intent = null;
      ended.resolve(transcript);
    }
    if (isFollowed && (isCorrected(before, transcript) || (hasGap(transcript) && !hasGap(before)))) fetchMissing();
    tell(event, before);
    if (isOver()) onInterest(self);
  };

  /** Text that a withdrawn event had discarded is gone (R14), and what is ahead waits for what is before it (R26). */
  const fetchMissing = (): void => {
    send({ type: 'resume', turnId, cursor: toCursorFrame(transcript) });
    if (hasGap(transcript)) later(gapCheckMs, () => hasGap(transcript));
  };

  const fail = (error: CandorClientError): void => {
    if (failure !== null) return;
    failure = error;
    cancelTimer?.();
    cancelTimer = null;
    accepted.reject(error);
    ended.reject(error);
    intent?.done.reject(error);
    intent = null;
    tell(null, transcript);
  };

  const request = (how: 'cancel' | 'withdraw'): Promise<Transcript> => {
    if (isOver() || failure !== null) return ended.promise;
    if (intent?.how !== how) {
      // A stop says more than a withdrawal: who asked for the latter gets the same end.
      const { done } = intent ?? { done: createSettled<Transcript>() };
      intent = { how: intent?.how === 'cancel' ? 'cancel' : how, done };
      refusal = null;
      isFollowed = true;
      if (asked) send({ type: intent.how, turnId });
      else bring();
      tell(null, transcript);
    }
    return intent.done.promise;
  };

  const self: Turn = {
    turnId,
    get conversationId(): ConversationId | null {
      return message?.conversationId ?? transcript.conversationId;
    },
    get transcript() {
      return transcript;
    },
    get state() {
      const isUnsent = message !== null && !message.accepted && transcript.log.length === 0;
      return isUnsent ? 'unsent' : stateOf(transcript);
    },
    get text() {
      return answerOf(transcript);
    },
    get refusal() {
      return refusal;
    },
    get stopRequested() {
      return intent !== null;
    },
    get failure() {
      return failure;
    },
    get isHeld() {
      return failure === null && (listeners.size > 0 || (isFollowed && !isOver()));
    },
    get isWordDue() {
      return asked && isWanted() && !isOver();
    },
    accepted: accepted.promise,
    ended: ended.promise,
    subscribe(listener) {
      listeners.add(listener);
      onInterest(self);
      return () => {
        if (listeners.delete(listener)) onInterest(self);
      };
    },
    events: (given) => readItems(source, from, given),
    [Symbol.asyncIterator]: () => readItems(source, from),
    until: (holds) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (holds(self)) resolve();
          else if (failure !== null) reject(failure);
          else return;
          leave();
        };
        const leave = self.subscribe(look);
        look();
      }),
    stop: () => request('cancel'),
    withdraw: () => request('withdraw'),
    approve: (callId, argumentsSha256) => send({ type: 'approve', turnId, callId, argumentsSha256 }),
    deny: (callId, argumentsSha256) => send({ type: 'deny', turnId, callId, argumentsSha256 }),
    forget() {
      outbox.remove(turnId);
      fail(new CandorClientError(`follow the turn ${turnId}`, null));
      options.onForgotten();
    },
    connected() {
      asked = false;
      bring();
    },
    receive,
    refused(error) {
      if (failure !== null) return;
      if (error.code === 'invalid_request' && transcript.log.length > 0 && !isOver()) {
        // What was shown was provisional and is gone from the log: only the whole turn can be asked for.
        const before = transcript;
        transcript = emptyTranscript;
        again();
        return tell(null, before);
      }
      refusal = error;
      if (error.retryable) {
        later(error.retryAfterMs ?? retryAfterRefusalMs, isWanted);
        return tell(null, transcript);
      }
      const reason = new CandorClientError(`${intent === null ? 'follow' : 'stop'} the turn ${turnId}`, error);
      if (intent === null || transcript.log.length === 0) return fail(reason);
      // Only the stop was refused, or the turn was: asking without the stop tells which.
      intent.done.reject(reason);
      intent = null;
      again();
      tell(null, transcript);
    },
    follow() {
      isFollowed = true;
      bring();
    },
    isSent() {
      isFollowed = true;
      asked = true;
    },
    end: fail,
  };
  const source = {
    turnId,
    subscribe: (listener: (change: TurnChange) => void) => self.subscribe(listener),
    get transcript() {
      return transcript;
    },
    get failure() {
      return failure;
    },
    awaitVerdict() {
      verdictWaiters += 1;
      onInterest(self);
      bring();
      return () => {
        verdictWaiters -= 1;
        onInterest(self);
      };
    },
  };
  if (from.log.length > 0) accepted.resolve();
  if (isOver()) ended.resolve(from);
  return self;
}

/** The log is not a continuation of what it was. */
function isCorrected(before: Transcript, after: Transcript): boolean {
  const last = before.log.length - 1;
  return last >= 0 && before.log !== after.log && before.log[last] !== after.log[last];
}

function toMessage({
  agentId: _agentId,
  writtenAtMs: _writtenAtMs,
  accepted: _accepted,
  ...message
}: Outgoing): ClientFrame {
  return { type: 'message', ...message };
}
