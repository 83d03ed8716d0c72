// What a terminal shows of what is written to it, interpreted as a real one does, so that a test reads what a person would see.

import xterm from '@xterm/headless';

export interface ScreenReader {
  write(text: string): void;
  resize(columns: number, rows: number): void;
  /** Rows on the screen, without white space at their ends; empty ones at the end are left out. */
  screen(): Promise<readonly string[]>;
  /** With what has scrolled off. */
  all(): Promise<readonly string[]>;
  /** Resolves when a row that is seen or has scrolled off fits. */
  until(pattern: RegExp): Promise<void>;
  cursor(): Promise<{ readonly row: number; readonly column: number }>;
}

export function createScreenReader(columns: number, rows: number): ScreenReader {
  const emulator = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 10_000 });
  const watchers = new Set<() => void>();
  const settled = (): Promise<void> => new Promise((resolve) => emulator.write('', resolve));
  const rowsFrom = (from: number): readonly string[] => {
    const { active } = emulator.buffer;
    const all = Array.from({ length: active.length - from }, (_, index) =>
      (active.getLine(from + index)?.translateToString(true) ?? '').trimEnd(),
    );
    return all.slice(0, all.findLastIndex((line) => line !== '') + 1);
  };
  return {
    write(text) {
      emulator.write(text, () => {
        for (const look of [...watchers]) look();
      });
    },
    resize: (wide, high) => emulator.resize(wide, high),
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
  };
}
