// What is said on a line: JSON objects, one a line of text. A watcher says `hello` first and is welcomed or refused; then
// it may ask for stops, and the worker says `goodbye` when it ends in order. Unknown messages are passed over, so that
// versions can differ.

import type { Socket } from 'node:net';
import type { TurnId } from '../protocol/ids.ts';

export interface StopRequest {
  readonly turnId: TurnId;
  /** ISO 8601. */
  readonly requestedAt: string;
}

export interface LineMessage {
  /** The nonce of the worker that is meant. */
  readonly hello?: string;
  /** The nonce was right. */
  readonly welcome?: true;
  /** The nonce was that of another worker. */
  readonly refused?: true;
  readonly stop?: StopRequest;
  /** The worker ends in order: nothing that it held is left open. */
  readonly goodbye?: true;
}

/** Nothing that is said comes near it; whoever sends more is no watcher. */
const maxLineChars = 4_096;

export function say(socket: Socket, message: LineMessage): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** Calls `hear` for each message; anything that is none ends the connection with an error. */
export function listenTo(socket: Socket, hear: (message: LineMessage) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (data: string) => {
    const lines = (rest + data).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = socket.destroyed ? null : parse(line);
      if (message === null)
        return void socket.destroy(new Error('unable to read the line; it speaks another language'));
      hear(message);
    }
    if (rest.length > maxLineChars) socket.destroy(new Error('unable to read the line; a message is too long'));
  });
}

function parse(line: string): LineMessage | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
