// A device that reads one turn as the protocol asks of a client: it keeps a transcript by the one reducer, comes back with
// its cursor whenever its socket breaks, sends its message again until it is accepted, and resumes when it was corrected
// or has a gap. Everything it was sent is kept, over all its sockets.

import { setTimeout as delay } from 'node:timers/promises';
import { toCursorFrame } from '../../src/protocol/log-hash.ts';
import { isSequenced, isTerminal, type TurnEvent } from '../../src/protocol/events.ts';
import type { ClientFrame, ServerFrame } from '../../src/protocol/frames.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import {
  applyEvent,
  emptyTranscript,
  hasGap,
  sameEvent,
  terminalOf,
  type Transcript,
} from '../../src/protocol/transcript.ts';
import { createChatClient, type ChatClient } from '../chat-client.ts';
import { newTurnId, type Stack } from '../stack.ts';

/** Says where a gateway is now: it may have been replaced. */
export type FindGateway = () => Stack;

export interface ReaderOptions {
  readonly name: string;
  readonly gateway: FindGateway;
  readonly turnId: TurnId;
  /** The message, or a resume without a cursor. */
  readonly opening: ClientFrame;
  readonly seen: (event: TurnEvent) => void;
}

export interface Reader {
  readonly name: string;
  readonly transcript: Transcript;
  /** Every frame, in the order of arrival. */
  readonly frames: readonly ServerFrame[];
  /** Terminal frames, without those that it asked for itself when it resumed because it was corrected. */
  readonly terminals: number;
  /** Resolves with the terminal. */
  readonly ended: Promise<void>;
  /** Resolves when its first frame is on the way. */
  readonly begun: Promise<void>;
  /** At once, or as soon as it is connected again. */
  send(frame: ClientFrame): void;
  /** The connection breaks; it comes back at this gateway. */
  cut(gateway: FindGateway): void;
  /** Closes in order and does not come back. */
  leave(): void;
  /** The plan is over. */
  stop(): void;
  /** Resolves when what the gateway had to say until now has come; at once without a connection. */
  settle(): Promise<void>;
}

const againMs = 100;

export function createReader({ name, gateway, turnId, opening, seen }: ReaderOptions): Reader {
  const frames: ServerFrame[] = [];
  let transcript: Transcript = emptyTranscript;
  let terminals = 0;
  let corrections = 0;
  let where = gateway;
  let socket: ChatClient | null = null;
  let isGone = false;
  const unsent: ClientFrame[] = [];
  let resolveEnded: () => void = () => undefined;
  let resolveBegun: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (resolveEnded = resolve));
  const begun = new Promise<void>((resolve) => (resolveBegun = resolve));

  const ask = (): void => {
    if (transcript.log.length === 0) socket?.send(opening);
    else socket?.send({ type: 'resume', turnId, cursor: toCursorFrame(transcript) });
    resolveBegun();
  };
  const take = (event: TurnEvent): void => {
    if (isTerminal(event)) terminals += 1;
    const before = transcript;
    transcript = applyEvent(transcript, event);
    seen(event);
    if (terminalOf(transcript) !== null) return resolveEnded();
    const known = isSequenced(event) ? before.log[event.seq - 1] : undefined;
    const isCorrected = known !== undefined && !sameEvent(known, event);
    if (!isCorrected && (!hasGap(transcript) || hasGap(before))) return;
    corrections += 1;
    ask();
  };
  const connect = async (): Promise<void> => {
    while (!isGone) {
      const at = where();
      const mine: { client: ChatClient | null } = { client: null };
      try {
        const onFrame = (frame: ServerFrame): void => {
          // A cut connection still has frames in this process that the network would have lost.
          if (isGone || (mine.client !== null && mine.client !== socket)) return;
          frames.push(frame);
          if ('turnId' in frame && frame.turnId === turnId) take(frame);
          if (frame.type === 'error' && frame.inReplyTo === turnId && frame.error.retryable) {
            void delay(againMs).then(() => (mine.client === socket ? ask() : undefined));
          }
        };
        mine.client = await createChatClient({ url: at.url, agentId: 'operator', token: await at.token(), onFrame });
      } catch (error) {
        // Swallowed: a gateway that is being replaced refuses; a client tries until one lets it in.
        void error;
        await delay(againMs);
        continue;
      }
      if (isGone) return mine.client.close();
      socket = mine.client;
      ask();
      for (const frame of unsent.splice(0)) socket.send(frame);
      await mine.client.closed;
      if (socket === mine.client) socket = null;
      if (terminalOf(transcript) !== null) return;
    }
  };
  void connect();

  return {
    name,
    frames,
    ended,
    begun,
    get transcript() {
      return transcript;
    },
    get terminals() {
      return Math.max(Math.min(terminals, 1), terminals - corrections);
    },
    send(frame) {
      if (socket === null) unsent.push(frame);
      else socket.send(frame);
    },
    cut(to) {
      where = to;
      const cutOff = socket;
      socket = null;
      cutOff?.close();
    },
    leave() {
      isGone = true;
      socket?.leave();
    },
    stop() {
      isGone = true;
      socket?.close();
    },
    async settle() {
      const asked = socket;
      if (asked === null || isGone) return;
      const unknown = newTurnId();
      asked.send({ type: 'resume', turnId: unknown });
      // Swallowed: a socket that closes meanwhile has said everything.
      await asked.untilError(unknown).catch(() => undefined);
    },
  };
}
