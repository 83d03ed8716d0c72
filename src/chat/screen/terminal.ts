// The terminal as the chat uses it: bytes in, bytes out, a size, and a mode that is given back whatever happens. A program
// that ends in raw mode leaves a shell in which nothing is seen.

import type { EventEmitter } from 'node:events';

export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** False: it takes no more until `onDrain`. */
  write(text: string): boolean;
  /** Keys one by one, unseen; pastes marked. */
  enter(): void;
  /** As it was; may be called at any time, also twice. */
  leave(): void;
  on(listeners: TerminalListeners): () => void;
}

export interface TerminalListeners {
  readonly onData: (text: string) => void;
  readonly onResize: () => void;
  readonly onDrain: () => void;
  /** Nobody reads or writes there any more. */
  readonly onGone: () => void;
}

/** The part of `process.stdin` that is used. */
export interface TerminalInput extends Pick<EventEmitter, 'on' | 'off'> {
  setEncoding(encoding: 'utf8'): unknown;
  setRawMode?(raw: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** The part of `process.stdout` that is used. */
export interface TerminalOutput extends Pick<EventEmitter, 'on' | 'off'> {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): boolean;
}

const pasteMarks = { on: '\u001b[?2004h', off: '\u001b[?2004l' } as const;
const showCursor = '\u001b[?25h';

/** @param isRaw false: the terminal edits lines itself, and Ctrl-C is a signal */
export function createTerminal(input: TerminalInput, output: TerminalOutput, isRaw: boolean): Terminal {
  let isEntered = false;
  return {
    get columns() {
      return output.columns ?? 80;
    },
    get rows() {
      return output.rows ?? 24;
    },
    write: (text) => output.write(text),
    enter() {
      isEntered = true;
      input.setEncoding('utf8');
      if (isRaw) {
        input.setRawMode?.(true);
        output.write(pasteMarks.on);
      }
      input.resume();
    },
    leave() {
      if (!isEntered) return;
      isEntered = false;
      if (isRaw) {
        output.write(pasteMarks.off + showCursor);
        input.setRawMode?.(false);
      }
      input.pause();
    },
    on({ onData, onResize, onDrain, onGone }) {
      // A closed pipe or line is the end of the session, not a failure of the program.
      const pairs = [
        [input, 'data', onData],
        [input, 'end', onGone],
        [input, 'error', onGone],
        [output, 'resize', onResize],
        [output, 'drain', onDrain],
        [output, 'error', onGone],
      ] as const;
      for (const [stream, event, listener] of pairs) stream.on(event, listener);
      return () => {
        for (const [stream, event, listener] of pairs) stream.off(event, listener);
      };
    },
  };
}
