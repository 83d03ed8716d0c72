// A gateway that sends exactly the frames that a test gives it, over real sockets that break when the test says so.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { createCandorClient, type CandorClient } from '../../src/client/index.ts';
import { subprotocol, type ClientFrame, type ServerFrame } from '../../src/protocol/frames.ts';
import type { UserId } from '../../src/protocol/ids.ts';
import { createManualClock, type ManualClock } from '../web/manual-clock.ts';
import { agentId } from '../web/turn-script.ts';
import { untilState } from './reading-turns.ts';
import { openWsSocket } from './ws-socket.ts';

export interface FramePlayer {
  /** Its connection comes back when the test cuts it, and at no other time. */
  readonly client: CandorClient;
  readonly clock: ManualClock;
  /** Resolves when the client has handled them, and its answers have come. */
  play(...frames: readonly ServerFrame[]): Promise<void>;
  /** Breaks the connection; resolves when the client is back and has said what it wants. */
  cut(): Promise<void>;
  close(): Promise<void>;
}

const longestReconnectMs = 20_000;

/** @param answer what is sent in reply to a frame of the client */
export async function startFramePlayer(
  answer: (frame: ClientFrame) => readonly ServerFrame[] = () => [],
): Promise<FramePlayer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => subprotocol });
  await once(server, 'listening');
  let peer: WebSocket | null = null;
  const send = (socket: WebSocket, frame: ServerFrame): void => socket.send(JSON.stringify(frame));
  server.on('connection', (socket) => {
    peer = socket;
    socket.on('message', (data: Buffer) => {
      for (const frame of answer(JSON.parse(data.toString('utf8')) as ClientFrame)) send(socket, frame);
    });
    send(socket, { type: 'hello', protocol: subprotocol, agentId, user: 'ada' as UserId });
  });
  const clock = createManualClock();
  const client = createCandorClient({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ agentId, token: 'a.b.c', openSocket: openWsSocket, clock, random: () => 0 },
  });

  /** A pong comes behind everything that the client said before it, and behind what it was sent. */
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 2; round += 1) {
      const pong = once(peer as WebSocket, 'pong');
      peer?.ping();
      await pong;
    }
  };
  await untilState(client, 'open');
  return {
    client,
    clock,
    async play(...frames) {
      for (const frame of frames) send(peer as WebSocket, frame);
      await settle();
    },
    async cut() {
      peer?.terminate();
      await untilState(client, 'waiting');
      clock.runDue(longestReconnectMs);
      await untilState(client, 'open');
      await settle();
    },
    async close() {
      client.close();
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
