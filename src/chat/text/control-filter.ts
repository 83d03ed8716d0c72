// What a terminal would obey is taken out of what a model, a tool or a server says: an answer can otherwise clear the
// screen, set the clipboard, hide its source or answer for the user. Sequences go as a whole, single controls alone, and
// marks that turn the direction of reading become visible. Works on text in pieces: a sequence may be cut anywhere.

export interface ControlFilter {
  /** The text that may be shown; what could be the beginning of a sequence is kept until it is decided. */
  push(text: string): string;
  /** What was kept, when nothing more comes. */
  end(): string;
  /** UTF-16 units that were taken out so far. */
  readonly removedUnits: number;
}

/** Longer ones are text that happens to follow a control: hiding it would hide what was really said. */
const maxSequenceUnits = 4_096;

// Everything but line feed and tab among C0, DEL and C1; line and paragraph separators; embeddings, overrides, isolates.

const suspicious = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

export function createControlFilter(): ControlFilter {
  let kept = '';
  let removedUnits = 0;
  const take = (text: string, last: boolean): string => {
    const input = kept + text;
    kept = '';
    let shown = '';
    let from = 0;
    while (from < input.length) {
      suspicious.lastIndex = from;
      const at = suspicious.exec(input)?.index ?? input.length;
      shown += input.slice(from, at);
      if (at === input.length) break;
      const found = decide(input, at, last);
      if (found === 'undecided') {
        kept = input.slice(at);
        break;
      }
      shown += found.shown;
      // A line break in another spelling is no loss.
      if (found.shown === '' && found.units > 0) removedUnits += found.units;
      from = at + found.units;
    }
    return shown;
  };
  return {
    push: (text) => take(text, false),
    end: () => take('', true),
    get removedUnits() {
      return removedUnits;
    },
  };
}

/** A whole text. */
export function withoutControls(text: string): string {
  const filter = createControlFilter();
  return filter.push(text) + filter.end();
}

/** A text for one line: names, titles, errors, arguments. Cut at `maxUnits`, and then says so by `…`. */
export function toOneLine(text: string, maxUnits = 500): string {
  const line = withoutControls(text).replaceAll(/\s+/g, ' ').trim();
  return line.length <= maxUnits ? line : `${line.slice(0, maxUnits).trimEnd()}…`;
}

interface Decision {
  readonly units: number;
  readonly shown: string;
}

const gone = (units: number): Decision => ({ units, shown: '' });

/** What becomes of the control at `at`. */
function decide(input: string, at: number, last: boolean): Decision | 'undecided' {
  const code = input.charCodeAt(at);
  const next = input[at + 1];
  if (code === 0x0d) {
    if (next === '\n') return { units: 2, shown: '\n' };
    // Alone it would write over the line that was just read.
    return next === undefined && !last ? 'undecided' : { units: 1, shown: '\n' };
  }
  if (code === 0x2028 || code === 0x2029) return { units: 1, shown: '\n' };
  if (code >= 0x202a) return { units: 1, shown: `‹U+${code.toString(16).toUpperCase()}›` };
  const start = introducerAt(input, at);
  if (start === 'undecided') return last ? gone(1) : 'undecided';
  if (start === null) return gone(1);
  const length = start.kind === 'string' ? stringLength(input, start.body) : matchedLength(start, input);
  if (length === 'open') {
    const mayGoOn = !last && input.length - at < maxSequenceUnits;
    return mayGoOn ? 'undecided' : gone(1);
  }
  return gone(length === null ? 1 : start.body + length - at);
}

interface Introducer {
  readonly kind: 'csi' | 'string' | 'escape';
  /** Where what follows the introducer begins. */
  readonly body: number;
}

// As 7-bit sequences name them behind ESC, and as the C1 controls of the same meaning.
const strings = /[\]PX^_\u0090\u0098\u009d\u009e\u009f]/;

function introducerAt(input: string, at: number): Introducer | 'undecided' | null {
  const first = input[at] as string;
  if (first === '\u009b') return { kind: 'csi', body: at + 1 };
  if (strings.test(first)) return { kind: 'string', body: at + 1 };
  if (first !== '\u001b') return null;
  const second = input[at + 1];
  if (second === undefined) return 'undecided';
  if (second === '[') return { kind: 'csi', body: at + 2 };
  if (/[\]PX^_]/.test(second)) return { kind: 'string', body: at + 2 };
  return /[ -~]/.test(second) ? { kind: 'escape', body: at + 1 } : null;
}

/** Units from `body` to the end of the sequence; `open`: the text ends before it; `null`: it is none. */
function matchedLength({ kind, body }: Introducer, input: string): number | 'open' | null {
  const pattern = kind === 'csi' ? /[0-?]*[ -/]*/y : /[ -/]*/y;
  pattern.lastIndex = body;
  const inner = pattern.exec(input)?.[0].length ?? 0;
  const final = input[body + inner];
  if (final === undefined) return 'open';
  return (kind === 'csi' ? /[@-~]/ : /[0-~]/).test(final) ? inner + 1 : null;
}

const stringEnd = /[\u0007\u009c\u0018\u001a\u001b\n\r]/g;

/** A string sequence ends with BEL or ST. One that spans lines is none: the text behind it is shown. */
function stringLength(input: string, body: number): number | 'open' | null {
  stringEnd.lastIndex = body;
  const at = stringEnd.exec(input)?.index;
  if (at === undefined) return 'open';
  const length = at - body;
  if (length > maxSequenceUnits) return null;
  switch (input[at]) {
    case '\u0007':
    case '\u009c':
      return length + 1;
    case '\u001b':
      if (input[at + 1] === undefined) return 'open';
      return input[at + 1] === '\\' ? length + 2 : null;
    default:
      return null;
  }
}
