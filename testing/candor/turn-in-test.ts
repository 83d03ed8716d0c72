// One turn in a test: a message that was sent, what one reader receives of it, what the model was asked, and how it
// ended.

import { randomUUID } from 'node:crypto';
import type { ErrorInfo } from '../../src/protocol/errors.ts';
import type { AuditCompleted, AuditFailed, TurnEvent } from '../../src/protocol/events.ts';
import type { ServerFrame } from '../../src/protocol/frames.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { answerOf, stateOf, terminalOf, type Transcript, type TurnState } from '../../src/protocol/transcript.ts';
import { checkTranscript, type TranscriptCheck } from '../transcript-checker.ts';
import { upstreamTexts } from '../upstream-texts.ts';
import type { RecordedCall, Upstream } from '../upstream/upstream.ts';
import type { ChatClient } from './chat-client.ts';

export interface TurnInTest {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  /** Everything that the reader has received, in order. */
  readonly frames: readonly ServerFrame[];
  readonly transcript: Transcript;
  /** The model calls of this turn, its audit left out: the whole prompt is in `body.messages`. */
  readonly calls: readonly RecordedCall[];
  /** Resolves with the first event of this type, past or to come. */
  until<Type extends TurnEvent['type']>(type: Type): Promise<Extract<TurnEvent, { type: Type }>>;
  /** Asks to stop the turn, as the user would. */
  stop(): void;
  /** Resolves when the turn has ended, or its message was refused. */
  end(): Promise<EndedTurn>;
  /** Resolves with what the auditor made of the turn. */
  audit(): Promise<AuditCompleted | AuditFailed>;
}

export interface EndedTurn {
  readonly state: TurnState;
  /** What the reader is shown in the end: the answer, or what there was of it when the turn was stopped. */
  readonly text: string;
  /** Of a turn that failed, or of a message that was refused. */
  readonly error: ErrorInfo | null;
  /** Types of the log's events, in order. */
  readonly log: readonly TurnEvent['type'][];
  /** Whether everything was in order, judged against what the model server really sent. */
  readonly check: TranscriptCheck;
}

interface Message {
  readonly text: string;
  readonly conversationId: ConversationId | undefined;
}

/** Sends a message on a socket that reads nothing else. */
export function sendMessage(
  socket: ChatClient,
  upstream: Upstream,
  { text, conversationId = randomUUID() as ConversationId }: Message,
): TurnInTest {
  const turnId = randomUUID() as TurnId;
  const earlier = upstream.calls.length;
  socket.send({ type: 'watch', conversationId });
  socket.message(turnId, conversationId, text);
  const calls = (): readonly RecordedCall[] =>
    upstream.calls.slice(earlier).filter(({ isJson, body }) => !isJson && body.messages.at(-1)?.content === text);
  const isRefusal = (frame: ServerFrame) => frame.type === 'error' && frame.inReplyTo === turnId;

  return {
    turnId,
    conversationId,
    frames: socket.frames,
    get transcript() {
      return socket.transcript(turnId);
    },
    get calls() {
      return calls();
    },
    until: (type) => socket.untilEvent(turnId, type),
    stop: () => socket.send({ type: 'cancel', turnId }),
    async end() {
      await socket.until((frame) => isRefusal(frame) || terminalOf(socket.transcript(turnId)) !== null);
      const transcript = socket.transcript(turnId);
      const terminal = terminalOf(transcript);
      const refusal = socket.frames.filter((frame) => frame.type === 'error').find(isRefusal);
      const failure = terminal?.type === 'turn_failed' ? terminal : refusal;
      return {
        state: terminal === null ? 'failed' : stateOf(transcript),
        text: answerOf(transcript),
        error: failure?.error ?? null,
        log: transcript.log.map(({ type }) => type),
        check: checkTranscript(socket.frames, { turnId, upstream: upstreamTexts(calls()) }),
      };
    },
    async audit() {
      const isVerdict = (frame: ServerFrame): frame is AuditCompleted | AuditFailed =>
        (frame.type === 'audit_completed' || frame.type === 'audit_failed') && frame.turnId === turnId;
      return (await socket.until(isVerdict)) as AuditCompleted | AuditFailed;
    },
  };
}
