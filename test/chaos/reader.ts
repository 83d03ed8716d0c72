// A device of a user in chaos: the client library, as everybody uses it, with an ear at its sockets. Every frame is kept as it
// came, so that the oracle judges the wire and not what the library made of it.

import { WebSocket } from 'ws';
import { createCandorClient, type OpenSocket } from '../../src/client/index.ts';
import type { ClientFrame, ErrorFrame, ServerFrame } from '../../src/protocol/frames.ts';
import type { TurnEvent } from '../../src/protocol/events.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { terminalOf, type Transcript } from '../../src/protocol/transcript.ts';

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

/** Its user does not wait for the library's pause before the next try: a wave is as long as its slowest reader. */
const patienceMs = 250;
const handshakeMs = 5_000;

/** Connects at once. */
export function startReader(options: ReaderOptions): TurnReader {
  const { turnId, message, gateways, token, agentId = 'operator' } = options;
  const frames: ServerFrame[] = [];
  const refusals: ErrorFrame[] = [];
  const looks = new Set<() => void>();
  let at = options.startAt - 1;
  let isClosed = false;
  let sentAtMs: number | null = null;
  let endedAtMs: number | null = null;
  let quietSinceMs: number | null = null;
  let longestSilenceMs = 0;
  let impatience: NodeJS.Timeout | undefined;

  const look = (): void => {
    for (const one of [...looks]) one();
  };
  /** @param next whether silence goes on to be counted */
  const heard = (next: boolean): void => {
    const now = Date.now();
    if (quietSinceMs !== null) longestSilenceMs = Math.max(longestSilenceMs, now - quietSinceMs);
    quietSinceMs = next && terminalOf(turn.transcript) === null ? now : null;
  };
  const receive = (frame: ServerFrame): void => {
    if (isClosed) return;
    if (frame.type !== 'hello') frames.push(frame);
    if (frame.type === 'error' && !frame.error.retryable) refusals.push(frame);
    // The library hears it behind this ear.
    queueMicrotask(() => {
      if (frame.type === 'error' || isEventOf(frame, turnId)) heard(true);
      look();
    });
  };
  const openSocket: OpenSocket = ({ url, headers }) => {
    const socket = new WebSocket(url, 'candor.v1', { headers: { ...headers }, handshakeTimeout: handshakeMs });
    socket.on('message', (data: Buffer) => receive(JSON.parse(data.toString('utf8')) as ServerFrame));
    return {
      send(data) {
        if ((JSON.parse(data) as ClientFrame).type === 'message') sentAtMs ??= Date.now();
        socket.send(data);
      },
      close: () => socket.terminate(),
      addEventListener: (type: never, listener: never) => socket.addEventListener(type, listener),
    };
  };

  const candor = createCandorClient({
    url: () => gateways[(at += 1) % gateways.length] ?? '',
    ...{ agentId, token, openSocket },
  });
  const turn = message === null ? candor.resume(turnId) : candor.send({ turnId, ...message });
  turn.subscribe(() => {
    if (terminalOf(turn.transcript) !== null) endedAtMs ??= Date.now();
    look();
  });
  candor.onState(({ kind }) => {
    if (kind === 'open') heard(true);
    if (kind === 'waiting') {
      heard(false);
      clearTimeout(impatience);
      impatience = setTimeout(() => candor.reconnectNow(), patienceMs);
    }
    look();
  });

  return {
    frames,
    refusals,
    get transcript() {
      return turn.transcript;
    },
    get gateway() {
      return candor.state.kind === 'open' ? at % gateways.length : null;
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
      return terminalOf(turn.transcript) !== null;
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
      clearTimeout(impatience);
      candor.close();
    },
  };
}

const isEventOf = (frame: ServerFrame, turnId: TurnId): frame is TurnEvent =>
  'turnId' in frame && frame.turnId === turnId;
