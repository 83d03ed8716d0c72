// A client of the socket for tests: keeps every frame, and the transcript of every turn by the one reducer. It is an
// instrument of the wire: it sends what a test says, malformed frames too, and a lost socket stays lost. Who wants a
// client that comes back takes candor/client.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { ClientFrame, ErrorFrame, ServerFrame } from '../../src/protocol/frames.ts';
import type { TurnEvent } from '../../src/protocol/events.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { applyEvent, emptyTranscript, terminalOf, type Transcript } from '../../src/protocol/transcript.ts';
import type { BusyMode } from '../../src/protocol/turn.ts';

export interface ChatClient {
  readonly frames: readonly ServerFrame[];
  send(frame: ClientFrame): void;
  /** Text as a text frame, bytes as a binary one. */
  sendRaw(raw: string | Uint8Array): void;
  message(turnId: TurnId, conversationId: ConversationId, text: string, busy?: BusyMode): void;
  transcript(turnId: TurnId): Transcript;
  events(turnId: TurnId): readonly TurnEvent[];
  /** Resolves with the first frame, past or to come, that fits. */
  until(fits: (frame: ServerFrame) => boolean): Promise<ServerFrame>;
  untilEvent<Type extends TurnEvent['type']>(turnId: TurnId, type: Type): Promise<Extract<TurnEvent, { type: Type }>>;
  untilError(inReplyTo?: string): Promise<ErrorFrame>;
  untilEnd(turnId: TurnId): Promise<Transcript>;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  /** The connection breaks. */
  close(): void;
  /** Closes in order, behind everything that was sent. */
  leave(): void;
}

export interface ChatClientOptions {
  readonly url: string;
  readonly agentId: string;
  readonly token: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for every frame as it comes. */
  readonly onFrame?: (frame: ServerFrame) => void;
}

/** @throws Error with the HTTP status when the upgrade is refused */
export async function createChatClient({
  url,
  agentId,
  token,
  headers = {},
  onFrame,
}: ChatClientOptions): Promise<ChatClient> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/${agentId}`, ['candor.v1'], {
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
  });
  const frames: ServerFrame[] = [];
  const transcripts = new Map<TurnId, Transcript>();
  const waiting = new Set<() => void>();
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString('utf8')) as ServerFrame;
    frames.push(frame);
    if ('turnId' in frame) {
      transcripts.set(frame.turnId, applyEvent(transcripts.get(frame.turnId) ?? emptyTranscript, frame));
    }
    onFrame?.(frame);
    for (const look of [...waiting]) look();
  });
  socket.on('error', () => undefined);
  const refused = new Promise<never>((_, reject) => {
    socket.once('unexpected-response', (_request, response) => {
      reject(new Error(`the upgrade was refused with ${response.statusCode}`));
      socket.terminate();
    });
  });
  await Promise.race([once(socket, 'open'), refused]);

  const until = (fits: (frame: ServerFrame) => boolean): Promise<ServerFrame> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = frames.find(fits);
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      void closed.then((code) => reject(new Error(`the socket closed with ${code} before the awaited frame`)));
      look();
    });
  const isEvent = (frame: ServerFrame): frame is TurnEvent => 'turnId' in frame;

  return {
    frames,
    closed,
    send: (frame) => socket.send(JSON.stringify(frame)),
    sendRaw: (raw) => socket.send(raw),
    message: (turnId, conversationId, text, busy) =>
      socket.send(
        JSON.stringify({ type: 'message', turnId, conversationId, text, ...(busy === undefined ? {} : { busy }) }),
      ),
    transcript: (turnId) => transcripts.get(turnId) ?? emptyTranscript,
    events: (turnId) => frames.filter(isEvent).filter((event) => event.turnId === turnId),
    until,
    untilEvent: async (turnId, type) =>
      (await until((f) => isEvent(f) && f.turnId === turnId && f.type === type)) as Extract<
        TurnEvent,
        { type: typeof type }
      >,
    untilError: async (inReplyTo) =>
      (await until((f) => f.type === 'error' && (inReplyTo === undefined || f.inReplyTo === inReplyTo))) as ErrorFrame,
    untilEnd: async (turnId) => {
      await until(() => terminalOf(transcripts.get(turnId) ?? emptyTranscript) !== null);
      return transcripts.get(turnId) ?? emptyTranscript;
    },
    close: () => socket.terminate(),
    leave: () => socket.close(),
  };
}
