// A terminal in memory: what is written to it is interpreted as a real one does, so that a test reads what a person would see.

import { EventEmitter } from 'node:events';
import { createTerminal, type Terminal } from '../../src/chat/screen/terminal.ts';
import { createScreenReader, type ScreenReader } from './screen-reader.ts';

export interface EmulatedTerminal extends Omit<ScreenReader, 'write' | 'resize'> {
  readonly terminal: Terminal;
  /** Everything that was written. */
  readonly written: string;
  readonly isRaw: boolean;
  /** What the person types or the terminal sends. */
  type(text: string): void;
  resize(columns: number, rows: number): void;
  /** Nobody reads or writes there any more. */
  hangUp(): void;
}

export function createEmulatedTerminal(columns = 80, rows = 24): EmulatedTerminal {
  const reader = createScreenReader(columns, rows);
  const size = { columns, rows };
  let written = '';
  let isRaw = false;
  const input = Object.assign(new EventEmitter(), {
    setEncoding: () => undefined,
    setRawMode: (raw: boolean) => (isRaw = raw),
    resume: () => undefined,
    pause: () => undefined,
  });
  const output = Object.assign(new EventEmitter(), {
    write(text: string) {
      written += text;
      reader.write(text);
      return true;
    },
  });
  Object.defineProperties(output, { columns: { get: () => size.columns }, rows: { get: () => size.rows } });
  return {
    ...reader,
    terminal: createTerminal(input, output, true),
    get written() {
      return written;
    },
    get isRaw() {
      return isRaw;
    },
    type: (text) => void input.emit('data', text),
    resize(wide, high) {
      Object.assign(size, { columns: wide, rows: high });
      reader.resize(wide, high);
      output.emit('resize');
    },
    hangUp: () => void output.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  };
}
