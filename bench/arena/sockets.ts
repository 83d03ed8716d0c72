// The users' sockets. Each stays open for the next turn of its place, so that no connection is made while it is measured.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { ClientFrame, ServerFrame } from '../../src/protocol/frames.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { subprotocol } from '../../src/protocol/frames.ts';
import type { Received, Target } from './load.ts';
import { createTurnReader, type TurnReader, type TurnReading } from './turn-reader.ts';

export interface TurnBegun {
  readonly accepted: Promise<void>;
  readonly ended: Promise<TurnReading>;
}

export interface UserSocket {
  message(turnId: TurnId, conversationId: ConversationId, text: string): TurnBegun;
  /** From its beginning. */
  resume(turnId: TurnId): TurnBegun;
}

export interface Sockets {
  /** The first so many of a target; those that there are not yet are opened. */
  open(target: Target, count: number): Promise<readonly UserSocket[]>;
  /** By all of them, since they were opened. */
  readonly received: Received;
  close(): void;
}

export function createSockets(): Sockets {
  const open = new Map<string, UserSocket[]>();
  const all: WebSocket[] = [];
  let [frames, bytes] = [0, 0];
  return {
    get received() {
      return { frames, bytes };
    },
    async open(target, count) {
      const known = open.get(target.url) ?? [];
      open.set(target.url, known);
      while (known.length < count) {
        const socket = await connect(target);
        all.push(socket);
        socket.on('message', (data: Buffer) => {
          frames += 1;
          bytes += data.length;
        });
        known.push(createUser(socket));
      }
      return known.slice(0, count);
    },
    close: () => all.forEach((socket) => socket.terminate()),
  };
}

async function connect({ url, token, agentId }: Target): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/${agentId}`, [subprotocol], {
    headers: { authorization: `Bearer ${token}` },
  });
  await once(socket, 'open');
  return socket;
}

function createUser(socket: WebSocket): UserSocket {
  const turns = new Map<string, TurnReader & { accept(): void }>();
  const fail = (frame: ServerFrame): void => {
    for (const turn of turns.values()) turn.take(frame);
  };
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString('utf8')) as ServerFrame;
    if (frame.type === 'error') return fail(frame);
    if (!('turnId' in frame)) return;
    const turn = turns.get(frame.turnId);
    if (frame.type === 'turn_accepted') turn?.accept();
    turn?.take(frame);
  });
  const begin = (frame: ClientFrame & { readonly turnId: TurnId }): TurnBegun => {
    const reader = createTurnReader();
    let accept = (): void => undefined;
    const accepted = new Promise<void>((resolve) => (accept = resolve));
    turns.set(frame.turnId, { ...reader, accept });
    const forget = (): void => void turns.delete(frame.turnId);
    reader.ended.then(forget, forget);
    const isRefused = reader.ended.then(() => undefined);
    socket.send(JSON.stringify(frame));
    return { accepted: Promise.race([accepted, isRefused]), ended: reader.ended };
  };
  return {
    message: (turnId, conversationId, text) => begin({ type: 'message', turnId, conversationId, text }),
    resume: (turnId) => begin({ type: 'resume', turnId }),
  };
}
