// What the demonstration shows, row by row: to a terminal at once, and kept with its times for the recording. A row of
// streamed text can be struck through later, because that is what a client does with text that was withdrawn.

export type Tone = 'plain' | 'good' | 'bad' | 'quiet';

export interface Span {
  readonly text: string;
  /** Milliseconds since the first row. */
  readonly atMs: number;
}

export interface Row {
  readonly who: string;
  readonly tone: Tone;
  readonly spans: readonly Span[];
  /** `null`: it stands. */
  readonly withdrawnAtMs: number | null;
}

export interface TextRow {
  /** Only while it is the last row. */
  add(text: string): void;
  /** Nothing is added any more. */
  end(): void;
  /** Struck through where it stands; other rows may have come since. */
  withdraw(): void;
}

export interface Stage {
  readonly rows: readonly Row[];
  say(who: string, text: string, tone?: Tone): void;
  stream(who: string): TextRow;
}

export interface Terminal {
  readonly write: (text: string) => void;
  /** Colours and the cursor's movements are understood. */
  readonly isTty: boolean;
}

export const whoWidth = 9;
export const textWidth = 92;

const escape = { plain: '', good: '\u001b[32m', bad: '\u001b[31m', quiet: '\u001b[2m' } as const;
const [reset, bold, struck] = ['\u001b[0m', '\u001b[1m', '\u001b[9;2m'];

interface KeptRow extends Row {
  spans: Span[];
  withdrawnAtMs: number | null;
}

export function createStage({ write, isTty }: Terminal, nowMs: () => number): Stage {
  const rows: KeptRow[] = [];
  let beganMs: number | null = null;
  /** Lines that are finished. */
  let printed = 0;
  const sinceBegin = (): number => {
    beganMs ??= nowMs();
    return Math.round(nowMs() - beganMs);
  };
  const paint = (codes: string, text: string): string => (isTty && codes !== '' ? `${codes}${text}${reset}` : text);
  const keep = (who: string, tone: Tone): KeptRow => {
    const row: KeptRow = { who, tone, spans: [], withdrawnAtMs: null };
    rows.push(row);
    return row;
  };
  const toLines = (who: string, codes: string, text: string): string[] =>
    wrap(text).map((line, index) => paint(bold, (index === 0 ? who : '').padEnd(whoWidth)) + paint(codes, line));
  const print = (lines: readonly string[]): void => {
    for (const line of lines) write(`${line}\n`);
    printed += lines.length;
  };

  return {
    rows,
    say(who, text, tone = 'plain') {
      keep(who, tone).spans.push({ text, atMs: sinceBegin() });
      print(toLines(who, escape[tone], text));
    },
    stream(who) {
      const row = keep(who, 'plain');
      const firstLine = printed;
      let text = '';
      let isOpen = true;
      return {
        add(more) {
          row.spans.push({ text: more, atMs: sinceBegin() });
          text += more;
          if (!isTty) return;
          const lines = toLines(who, '', text);
          const done = printed - firstLine;
          // Of the lines only the last one grows; a word of it may move to a new one.
          for (const [index, line] of lines.slice(done).entries())
            write(`${index === 0 ? '\r' : '\n'}\u001b[2K${line}`);
          printed = firstLine + lines.length - 1;
        },
        end() {
          if (!isOpen) return;
          isOpen = false;
          if (isTty) {
            write('\n');
            printed += 1;
          } else print(toLines(who, '', text));
        },
        withdraw() {
          this.end();
          row.withdrawnAtMs = sinceBegin();
          if (!isTty) return;
          const lines = toLines(who, struck, text);
          const up = printed - firstLine;
          write(`\u001b[${up}A`);
          for (const line of lines) write(`\r\u001b[2K${line}\n`);
          if (up > lines.length) write(`\u001b[${up - lines.length}B`);
        },
      };
    },
  };
}

/** Lines of at most {@link textWidth} characters, broken at blanks where there are any. */
export function wrap(text: string): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > textWidth) {
    const blank = rest.lastIndexOf(' ', textWidth);
    const cut = blank > 0 ? blank : textWidth;
    lines.push(rest.slice(0, cut));
    rest = rest.slice(blank > 0 ? cut + 1 : cut);
  }
  return [...lines, rest];
}
