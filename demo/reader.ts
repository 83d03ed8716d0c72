// A device that follows one turn, on whatever gateway: it keeps its transcript when it loses its socket, and comes back
// with its cursor.

import { once } from 'node:events';
import { WebSocket } from 'ws';
import { toCursorFrame } from '../src/protocol/log-hash.ts';
import type { ServerFrame } from '../src/protocol/frames.ts';
import type { TurnEvent } from '../src/protocol/events.ts';
import { applyEvent, emptyTranscript, type Transcript } from '../src/protocol/transcript.ts';

export type Change = (event: TurnEvent, before: Transcript, after: Transcript) => void;

export interface Reader {
  readonly transcript: Transcript;
  /** Connects and sends a message, or resumes from the cursor when there is none. */
  connect(url: string, message?: object): Promise<void>;
  /** Resolves when the socket is gone. */
  readonly lost: Promise<void>;
  /** Resolves when it holds of the transcript. */
  until(holds: (transcript: Transcript) => boolean): Promise<Transcript>;
  close(): void;
}

/** @param start what the device has already, by whatever way */
export function createReader(
  token: string,
  turnId: string,
  onChange: Change,
  start: Transcript = emptyTranscript,
): Reader {
  let transcript = start;
  let socket: WebSocket | null = null;
  let lost = Promise.resolve();
  const waiting = new Set<() => void>();

  const take = (data: Buffer): void => {
    const frame = JSON.parse(data.toString('utf8')) as ServerFrame;
    if (frame.type === 'error') throw new Error(`unable to follow the turn; ${frame.error.code}`);
    if (!('turnId' in frame) || frame.turnId !== turnId) return;
    const before = transcript;
    transcript = applyEvent(transcript, frame);
    onChange(frame, before, transcript);
    for (const look of [...waiting]) look();
  };

  return {
    get transcript() {
      return transcript;
    },
    get lost() {
      return lost;
    },
    async connect(url, message) {
      const opened = new WebSocket(`${url.replace('http', 'ws')}/ws/operator`, ['candor.v1'], {
        headers: { authorization: `Bearer ${token}` },
      });
      lost = once(opened, 'close').then(() => undefined);
      opened.on('message', take);
      await once(opened, 'open');
      socket = opened;
      opened.send(JSON.stringify(message ?? { type: 'resume', turnId, cursor: toCursorFrame(transcript) }));
    },
    until: (holds) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!holds(transcript)) return;
          waiting.delete(look);
          resolve(transcript);
        };
        waiting.add(look);
        look();
      }),
    close: () => socket?.terminate(),
  };
}
