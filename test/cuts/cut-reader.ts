// A reader whose connections break. It keeps every frame as it came over the wire, resumes from the cursor that it has at
// that moment, by socket or by server-sent events, at whichever gateway, and gives up only at the end of the turn. It is
// raw on purpose: what the client library would put right must be seen here.

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { ClientFrame, ErrorFrame, ServerFrame } from '../../src/protocol/frames.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { toCursorFrame } from '../../src/protocol/log-hash.ts';
import { applyEvent, emptyTranscript, terminalOf, type Transcript } from '../../src/protocol/transcript.ts';
import { openLine, type CutLine } from './cut-line.ts';

export type Transport = 'socket' | 'sse';

/** How a connection is broken; every number counts from the moment it was asked for. */
export type Cut =
  | { readonly kind: 'reset'; readonly afterMs: number }
  | { readonly kind: 'leave'; readonly afterMs: number }
  /** In the middle of a frame as a rule. */
  | { readonly kind: 'bytes'; readonly bytes: number };

export interface Connection {
  readonly gateway: number;
  readonly transport: Transport;
  /** `null`: it is left to the end of the turn. */
  readonly cut: Cut | null;
}

export interface CutReader {
  readonly frames: readonly ServerFrame[];
  readonly transcript: Transcript;
  /** Error frames, refused requests and connections that ended without a reason; none is expected. */
  readonly surprises: readonly string[];
  readonly hasEnded: boolean;
  /** Connects, reads until the connection is over. Resolves with whether it was cut; else the turn has ended. */
  read(connection: Connection): Promise<boolean>;
}

export interface CutReaderOptions {
  readonly turnId: TurnId;
  /** `null`: it only reads, the message is another's. */
  readonly message: { readonly conversationId: ConversationId; readonly text: string } | null;
  /** Ports of the gateways, on 127.0.0.1. */
  readonly gateways: readonly number[];
  readonly token: string;
}

/** A turn says something every 10 s; a connection that says nothing for so long is stuck. */
const stuckMs = 40_000;

export function createCutReader({ turnId, message, gateways, token }: CutReaderOptions): CutReader {
  const frames: ServerFrame[] = [];
  const surprises: string[] = [];
  let transcript = emptyTranscript;
  let lastId: string | null = null;

  const receive = (frame: ServerFrame): void => {
    frames.push(frame);
    if (frame.type === 'error') surprises.push(toSurprise(frame));
    else if ('turnId' in frame && frame.turnId === turnId) transcript = applyEvent(transcript, frame);
  };
  const ended = (): boolean => terminalOf(transcript) !== null;

  const overSocket = async (line: CutLine, cut: Cut | null): Promise<boolean> => {
    const socket = new WebSocket(`ws://127.0.0.1:${line.port}/ws/operator`, ['candor.v1'], {
      headers: { authorization: `Bearer ${token}` },
    });
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    let isCut = cut?.kind === 'bytes';
    let quiet = setTimeout(() => undefined, 0);
    const wind = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(() => {
        surprises.push(`no word for ${stuckMs} ms on a socket`);
        socket.terminate();
      }, stuckMs);
    };
    // Swallowed: it is broken on purpose, and `close` follows.
    socket.on('error', () => undefined);
    socket.on('open', () => {
      const frame: ClientFrame =
        transcript.log.length === 0 && message !== null
          ? { type: 'message', turnId, ...message }
          : { type: 'resume', turnId, ...(transcript.log.length === 0 ? {} : { cursor: toCursorFrame(transcript) }) };
      socket.send(JSON.stringify(frame));
      // A cursor by socket is the transcript's own; the next id is told by the next stream.
      lastId = null;
      wind();
    });
    socket.on('message', (data: Buffer) => {
      if (isCut && cut?.kind !== 'bytes') return;
      wind();
      receive(JSON.parse(data.toString('utf8')) as ServerFrame);
      if (ended()) socket.close();
    });
    const timer = cut === null || cut.kind === 'bytes' ? undefined : setTimeout(breakIt, cut.afterMs);
    function breakIt(): void {
      isCut = true;
      if (cut?.kind === 'leave') socket.close();
      else line.cutAfter(0);
    }
    await closed;
    clearTimeout(timer);
    clearTimeout(quiet);
    if (cut === null && !ended()) surprises.push('a socket was closed before the end of the turn');
    return isCut && !ended();
  };

  const overEvents = async (line: CutLine, cut: Cut | null): Promise<boolean> => {
    const id = lastId ?? (transcript.log.length === 0 ? null : encode(transcript));
    const outgoing = httpRequest({
      host: '127.0.0.1',
      port: line.port,
      path: `/api/turns/${turnId}/events`,
      agent: false,
      headers: { authorization: `Bearer ${token}`, ...(id === null ? {} : { 'last-event-id': id }) },
    });
    let isCut = false;
    const timer =
      cut === null || cut.kind === 'bytes'
        ? undefined
        : setTimeout(() => {
            isCut = true;
            if (cut.kind === 'leave') outgoing.destroy();
            else line.cutAfter(0);
          }, cut.afterMs);
    outgoing.end();
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        outgoing.once('response', resolve);
        outgoing.once('error', reject);
      });
      if (response.statusCode !== 200) {
        // Nobody has told of the turn yet: it is asked for again.
        if (response.statusCode !== 404 || transcript.log.length > 0) surprises.push(`status ${response.statusCode}`);
        response.resume();
        return false;
      }
      let rest = '';
      response.setEncoding('utf8');
      for await (const text of response) {
        if (isCut) continue;
        const blocks = `${rest}${String(text)}`.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const { id: eventId, data } = parseBlock(block);
          if (data === null) continue;
          if (eventId !== null) lastId = eventId;
          receive(JSON.parse(data) as ServerFrame);
        }
      }
      if (!isCut && cut?.kind !== 'bytes' && !ended()) surprises.push('a stream of events ended before the turn');
      return !ended();
    } catch (error) {
      if (cut === null) surprises.push(`a stream of events broke: ${String(error)}`);
      return true;
    } finally {
      clearTimeout(timer);
      outgoing.destroy();
    }
  };

  return {
    frames,
    surprises,
    get transcript() {
      return transcript;
    },
    get hasEnded() {
      return ended();
    },
    async read({ gateway, transport, cut }) {
      const line = await openLine(gateways[gateway % gateways.length] ?? 0);
      if (cut?.kind === 'bytes') line.cutAfter(cut.bytes);
      // Only a socket takes a message.
      const isSocket = transport === 'socket' || (transcript.log.length === 0 && message !== null);
      try {
        return await (isSocket ? overSocket : overEvents)(line, cut);
      } finally {
        line.close();
      }
    },
  };
}

const encode = (transcript: Transcript): string =>
  Buffer.from(JSON.stringify(toCursorFrame(transcript)), 'utf8').toString('base64url');

function parseBlock(block: string): { readonly id: string | null; readonly data: string | null } {
  const field = (name: string): string | null =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2) ?? null;
  return { id: field('id'), data: field('data') };
}

const toSurprise = ({ error, inReplyTo }: ErrorFrame): string => `error ${error.code} in reply to ${inReplyTo ?? '–'}`;
