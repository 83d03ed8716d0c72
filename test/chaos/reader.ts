// A client that does what PROTOCOL.md demands of one: it keeps its message until `turn_accepted` and sends it again under
// the same id, on any gateway; it comes back after a lost socket and resumes from its cursor. It keeps every frame.

import { WebSocket } from 'ws';
import { toCursorFrame } from '../../src/protocol/log-hash.ts';
import type { ClientFrame, ErrorFrame, ServerFrame } from '../../src/protocol/frames.ts';
import type { TurnEvent } from '../../src/protocol/events.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { applyEvent, emptyTranscript, hasGap, terminalOf, type Transcript } from '../../src/protocol/transcript.ts';

export interface ReaderOptions {
  readonly turnId: TurnId;
  /** `null`: it only reads, the message is another's. */
  readonly message: { readonly conversationId: ConversationId; readonly text: string } | null;
  /** Base addresses; a lost socket goes on to the next one. */
  readonly gateways: readonly string[];
  /** Index of the first one. */
  readonly startAt: number;
  readonly token: string;
  readonly agentId?: string;
}

export interface TurnReader {
  readonly frames: readonly ServerFrame[];
  readonly transcript: Transcript;
  /** Index of the gateway that it is connected to; `null` without an open socket. */
  readonly gateway: number | null;
  /** When its message left for the first time, milliseconds since the epoch. */
  readonly sentAtMs: number | null;
  /** When the terminal came; `null` before. */
  readonly endedAtMs: number | null;
  /** Refusals that no repetition cures; after one it stays silent. */
  readonly refusals: readonly ErrorFrame[];
  /** Longest time with an open socket and no word about the turn before its end. */
  readonly longestSilenceMs: number;
  readonly hasEnded: boolean;
  /** Resolves with whether it came true in time; looked at with every frame and every change of the socket. */
  until(fits: () => boolean, withinMs: number): Promise<boolean>;
  close(): void;
}

const reconnectMs = 250;
const sendAgainMs = 1_000;
const handshakeMs = 5_000;

/** Connects at once. */
export function startReader(options: ReaderOptions): TurnReader {
  const { turnId, message, gateways, token, agentId = 'operator' } = options;
  const frames: ServerFrame[] = [];
  const refusals: ErrorFrame[] = [];
  const looks = new Set<() => void>();
  let transcript: Transcript = emptyTranscript;
  let at = options.startAt;
  let socket: WebSocket | null = null;
  let isOpen = false;
  let isClosed = false;
  let sentAtMs: number | null = null;
  let endedAtMs: number | null = null;
  let quietSinceMs: number | null = null;
  let longestSilenceMs = 0;
  const timers = new Set<NodeJS.Timeout>();

  const later = (work: () => void, ms: number): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!isClosed) work();
    }, ms);
    timers.add(timer);
  };
  const look = (): void => {
    for (const one of [...looks]) one();
  };
  /** @param next whether silence goes on to be counted */
  const heard = (next: boolean): void => {
    const now = Date.now();
    if (quietSinceMs !== null) longestSilenceMs = Math.max(longestSilenceMs, now - quietSinceMs);
    quietSinceMs = next && terminalOf(transcript) === null ? now : null;
  };
  const send = (frame: ClientFrame): void => socket?.send(JSON.stringify(frame));

  const ask = (): void => {
    if (!isOpen || refusals.length > 0) return;
    if (transcript.log.length === 0 && message !== null) {
      sentAtMs ??= Date.now();
      return send({ type: 'message', turnId, ...message });
    }
    if (transcript.log.length === 0) return send({ type: 'resume', turnId });
    if (terminalOf(transcript) === null) send({ type: 'resume', turnId, cursor: toCursorFrame(transcript) });
  };

  const receive = (frame: ServerFrame): void => {
    frames.push(frame);
    if (frame.type === 'error') {
      heard(true);
      if (frame.error.retryable) later(ask, sendAgainMs);
      else refusals.push(frame);
    } else if (isEventOf(frame, turnId)) {
      const before = transcript;
      transcript = applyEvent(transcript, frame);
      heard(true);
      if (terminalOf(transcript) !== null) endedAtMs ??= Date.now();
      if (hasGap(transcript) && !hasGap(before)) ask();
    }
    look();
  };

  const connect = (): void => {
    const url = gateways[at % gateways.length] ?? '';
    const opened = new WebSocket(`${url.replace('http', 'ws')}/ws/${agentId}`, ['candor.v1'], {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: handshakeMs,
    });
    socket = opened;
    opened.on('open', () => {
      isOpen = true;
      heard(true);
      ask();
      look();
    });
    opened.on('message', (data: Buffer) => {
      if (!isClosed) receive(JSON.parse(data.toString('utf8')) as ServerFrame);
    });
    // Swallowed: a refused upgrade or a broken socket closes, and `close` connects again.
    opened.on('error', () => undefined);
    opened.on('close', () => {
      isOpen = false;
      heard(false);
      look();
      at += 1;
      if (!isClosed) later(connect, reconnectMs);
    });
  };
  connect();

  return {
    frames,
    refusals,
    get transcript() {
      return transcript;
    },
    get gateway() {
      return isOpen ? at % gateways.length : null;
    },
    get sentAtMs() {
      return sentAtMs;
    },
    get endedAtMs() {
      return endedAtMs;
    },
    get longestSilenceMs() {
      return longestSilenceMs;
    },
    get hasEnded() {
      return terminalOf(transcript) !== null;
    },
    until: (fits, withinMs) =>
      new Promise((resolve) => {
        const settle = (result: boolean): void => {
          looks.delete(one);
          clearTimeout(timer);
          resolve(result);
        };
        const one = (): void => {
          if (fits()) settle(true);
        };
        const timer = setTimeout(() => settle(false), withinMs);
        looks.add(one);
        one();
      }),
    close() {
      isClosed = true;
      for (const timer of timers) clearTimeout(timer);
      socket?.terminate();
    },
  };
}

const isEventOf = (frame: ServerFrame, turnId: TurnId): frame is TurnEvent =>
  'turnId' in frame && frame.turnId === turnId;
