// The line that is being written. Node's readline edits it – keys, history, words, undo – and draws nothing: the screen has
// one painter. Line feeds within a message stand in it as a noncharacter, because readline would take them as its end.

import { createInterface, type Key } from 'node:readline';
import { Readable, Writable } from 'node:stream';
import { withoutControls } from '../text/control-filter.ts';
import { createInputSplitter, type InputPart } from './split-input.ts';

export interface Editor {
  /** With line feeds. */
  readonly text: string;
  /** UTF-16 units before the cursor. */
  readonly cursor: number;
  /** What the terminal sent, decoded. */
  feed(data: string): void;
  clear(): void;
  close(): void;
}

export interface EditorOptions {
  readonly complete: (text: string) => readonly string[];
  readonly onChange: () => void;
  readonly onSubmit: (text: string) => void;
  /** Ctrl-C, Ctrl-D on an empty line, Ctrl-Z. */
  readonly onSignal: (signal: 'interrupt' | 'end' | 'suspend') => void;
  /** A key that is taken is not written: an approval is answered by one. */
  readonly takeKey: (key: string) => boolean;
}

const lineFeed = '\ufdd0';
/** A cut mark of a paste goes on at once; Escape as a key does not. */
const keepMs = 40;

const toEdited = (text: string): string => withoutControls(text).replaceAll(lineFeed, '').replaceAll('\n', lineFeed);
const toText = (edited: string): string => edited.replaceAll(lineFeed, '\n');

/** @param history newest first */
export function createEditor(options: EditorOptions, history: readonly string[]): Editor {
  const input = new Readable({ read: () => undefined });
  const lines = createInterface({
    input,
    // Wide enough that readline never thinks about rows.
    output: Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), { columns: 1_000_000 }),
    terminal: true,
    prompt: '',
    history: history.map(toEdited),
    historySize: 1_000,
    removeHistoryDuplicates: true,
    tabSize: 4,
    completer: (line: string) => [options.complete(toText(line)).map(toEdited), line],
  });
  const splitter = createInputSplitter();
  let timer: NodeJS.Timeout | null = null;
  let isClosed = false;

  lines.on('line', (line) => options.onSubmit(toText(line)));
  lines.on('SIGINT', () => options.onSignal('interrupt'));
  lines.on('SIGTSTP', () => options.onSignal('suspend'));
  lines.on('close', () => {
    if (!isClosed) options.onSignal('end');
  });

  const press = (key: Key): void => lines.write(null as unknown as string, key);

  const take = (part: InputPart): void => {
    if (isClosed) return;
    switch (part.kind) {
      case 'keys':
        if (!options.takeKey(part.text)) input.emit('data', Buffer.from(part.text));
        return;
      case 'paste':
        lines.write(toEdited(part.text));
        return;
      case 'newline':
        lines.write(lineFeed);
        return;
      case 'enter':
        if (lines.line[lines.cursor - 1] === '\\') {
          press({ name: 'backspace' });
          lines.write(lineFeed);
        } else press({ name: 'return' });
    }
  };

  const feedAll = (parts: readonly InputPart[]): void => {
    for (const part of parts) take(part);
    if (!isClosed) options.onChange();
  };

  return {
    get text() {
      return toText(lines.line);
    },
    get cursor() {
      return lines.cursor;
    },
    feed(data) {
      if (timer !== null) clearTimeout(timer);
      feedAll(splitter.push(data));
      if (!splitter.isKeeping || isClosed) return;
      timer = setTimeout(() => feedAll(splitter.flush()), keepMs);
      timer.unref();
    },
    clear() {
      press({ ctrl: true, name: 'e' });
      press({ ctrl: true, name: 'u' });
    },
    close() {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
      lines.close();
    },
  };
}
