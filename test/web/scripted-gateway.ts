// A gateway whose turns do what a test says, behind real HTTP and real sockets: the page's connection code meets lost
// connections, refused upgrades and gaps as a network makes them.

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { toCursor } from '../../src/protocol/cursor.ts';
import { toErrorInfo, type ErrorCode } from '../../src/protocol/errors.ts';
import type { TurnEvent } from '../../src/protocol/events.ts';
import type { ClientFrame, ServerFrame } from '../../src/protocol/frames.ts';
import { subprotocol } from '../../src/protocol/frames.ts';
import type { ConversationId, TurnId, UserId } from '../../src/protocol/ids.ts';
import {
  answerOf,
  applyEvent,
  emptyTranscript,
  eventsAfter,
  stateOf,
  terminalOf,
  type Transcript,
} from '../../src/protocol/transcript.ts';
import type { ConversationWithTurns, TurnResource } from '../../web/src/resources.ts';
import { agentId } from './turn-script.ts';

export interface ScriptedGateway {
  readonly port: number;
  /** Resolves with the first frame of this kind that was not asked for yet. */
  frame<Type extends ClientFrame['type']>(type: Type): Promise<Extract<ClientFrame, { type: Type }>>;
  /** The turn goes on: kept for resumes, and sent to every open socket unless it is to be lost on the way. */
  emit(event: TurnEvent, lost?: 'lost'): void;
  refuse(code: ErrorCode, inReplyTo: string): void;
  /** Cuts every socket without a close frame. */
  cut(): void;
  closeSockets(code: number): void;
  /** From now on nobody is let in. */
  refuseTokens(): void;
  stop(): Promise<void>;
}

export async function startScriptedGateway(): Promise<ScriptedGateway> {
  const turns = new Map<TurnId, Transcript>();
  const frames: ClientFrame[] = [];
  const waiters = new Set<() => void>();
  let tokensAccepted = true;

  const server = createServer((request, response) => {
    if (!tokensAccepted) return problem(response, 401, 'unauthenticated');
    answer(request.url ?? '/', response);
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => subprotocol });
  server.on('upgrade', (request, socket, head) => {
    if (!tokensAccepted) {
      // The other side may be gone already; there is nobody left to tell.
      socket.on('error', () => socket.destroy());
      socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, greet);
  });

  const greet = (socket: WebSocket): void => {
    const send = (frame: ServerFrame): void => socket.send(JSON.stringify(frame));
    send({ type: 'hello', protocol: subprotocol, agentId, user: 'local' as UserId });
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString('utf8')) as ClientFrame;
      frames.push(frame);
      for (const wake of [...waiters]) wake();
      if (frame.type !== 'resume') return;
      const transcript = turns.get(frame.turnId);
      if (transcript === undefined) return;
      for (const event of eventsAfter(transcript, toCursor(frame.cursor ?? { seq: 0 }))) send(event);
    });
  };

  const answer = (path: string, response: ServerResponse): void => {
    const [, , kind, id] = path.split('/');
    if (kind === 'status') return json(response, { model: { state: 'ready', name: 'test-model' }, temporalUi: null });
    if (kind === 'agents') {
      return json(response, { agents: [{ id: agentId, name: 'Operator', description: '', model: 'test-model' }] });
    }
    if (kind === 'turns') {
      const resource = toResource(turns.get(id as TurnId));
      return resource === null ? problem(response, 404, 'turn_not_found') : json(response, resource);
    }
    const resources = [...turns.values()].map(toResource).filter((turn) => turn !== null);
    if (id === undefined) return json(response, { items: [], next: null });
    if (resources.length === 0) return problem(response, 404, 'conversation_not_found');
    const conversation: ConversationWithTurns = {
      conversationId: id as ConversationId,
      title: 'Title',
      agentId,
      leaf: null,
      updatedAt: '',
      turns: resources,
    };
    json(response, conversation);
  };

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async frame(type) {
      for (;;) {
        const index = frames.findIndex((frame) => frame.type === type);
        if (index >= 0) return frames.splice(index, 1)[0] as never;
        await new Promise<void>((wake) => {
          waiters.add(wake);
        });
        waiters.clear();
      }
    },
    emit(event, lost) {
      turns.set(event.turnId, applyEvent(turns.get(event.turnId) ?? emptyTranscript, event));
      if (lost === undefined) for (const socket of sockets.clients) socket.send(JSON.stringify(event));
    },
    refuse(code, inReplyTo) {
      const frame: ServerFrame = { type: 'error', error: toErrorInfo(code), inReplyTo };
      for (const socket of sockets.clients) socket.send(JSON.stringify(frame));
    },
    cut() {
      for (const socket of sockets.clients) socket.terminate();
    },
    closeSockets(code) {
      for (const socket of sockets.clients) socket.close(code);
    },
    refuseTokens() {
      tokensAccepted = false;
    },
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function toResource(transcript: Transcript | undefined): TurnResource | null {
  const first = transcript?.log[0];
  if (transcript === undefined || first?.type !== 'turn_accepted') return null;
  const terminal = terminalOf(transcript);
  const { turnId, conversationId, text } = first;
  return {
    turnId,
    conversationId,
    agentId,
    state: stateOf(transcript),
    text,
    answer: terminal === null ? null : answerOf(transcript),
    error: null,
    receipt: terminal?.receipt ?? null,
    audit: null,
    steps: [],
    links: { temporal: `http://127.0.0.1:8233/${turnId}` },
  };
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, code: ErrorCode): void {
  const body = { title: code, status, detail: toErrorInfo(code).message, code };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}
