// A terminal in memory: what is written to it is interpreted as a real one does, so that a test reads what a person would see.

import xterm from '@xterm/headless';
import { EventEmitter } from 'node:events';
import { createTerminal, type Terminal } from '../../src/chat/screen/terminal.ts';

export interface EmulatedTerminal {
  readonly terminal: Terminal;
  /** Everything that was written, as bytes of text. */
  readonly written: string;
  readonly isRaw: boolean;
  /** What the person types or the terminal sends. */
  type(text: string): void;
  resize(columns: number, rows: number): void;
  /** Rows on the screen, without white space at their ends; empty ones at the end are left out. */
  screen(): Promise<readonly string[]>;
  /** With what has scrolled off. */
  all(): Promise<readonly string[]>;
  /** Resolves when a row that is seen or has scrolled off fits. */
  until(pattern: RegExp): Promise<void>;
  cursor(): Promise<{ readonly row: number; readonly column: number }>;
  /** Nobody reads or writes there any more. */
  hangUp(): void;
}

export function createEmulatedTerminal(columns = 80, rows = 24): EmulatedTerminal {
  const emulator = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 10_000 });
  const input = new EventEmitter();
  const output = new EventEmitter();
  const size = { columns, rows };
  const watchers = new Set<() => void>();
  let written = '';
  let isRaw = false;
  const streams = {
    input: Object.assign(input, {
      setEncoding: () => undefined,
      setRawMode: (raw: boolean) => (isRaw = raw),
      resume: () => undefined,
      pause: () => undefined,
    }),
    output: Object.defineProperties(
      Object.assign(output, {
        write(text: string) {
          written += text;
          emulator.write(text, () => {
            for (const look of [...watchers]) look();
          });
          return true;
        },
      }),
      { columns: { get: () => size.columns }, rows: { get: () => size.rows } },
    ) as EventEmitter & { readonly columns: number; readonly rows: number; write(text: string): boolean },
  };
  const settled = (): Promise<void> => new Promise((resolve) => emulator.write('', resolve));
  const rowsFrom = (from: number): readonly string[] => {
    const { active } = emulator.buffer;
    const all = Array.from({ length: active.length - from }, (_, index) =>
      (active.getLine(from + index)?.translateToString(true) ?? '').trimEnd(),
    );
    const last = all.findLastIndex((line) => line !== '');
    return all.slice(0, last + 1);
  };
  return {
    terminal: createTerminal(streams.input, streams.output, true),
    get written() {
      return written;
    },
    get isRaw() {
      return isRaw;
    },
    type: (text) => void input.emit('data', text),
    resize(wide, high) {
      Object.assign(size, { columns: wide, rows: high });
      emulator.resize(wide, high);
      output.emit('resize');
    },
    async screen() {
      await settled();
      return rowsFrom(emulator.buffer.active.baseY);
    },
    async all() {
      await settled();
      return rowsFrom(0);
    },
    until: (pattern) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!rowsFrom(0).some((line) => pattern.test(line))) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    async cursor() {
      await settled();
      return { row: emulator.buffer.active.cursorY, column: emulator.buffer.active.cursorX };
    },
    hangUp: () => void output.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  };
}
