// What a terminal sends, apart: keys, pastes, and the ways to ask for a new line within a message. A paste is one thing,
// however long and whatever line ends it has; its marks may be cut anywhere.

export type InputPart =
  { readonly kind: 'keys' | 'paste'; readonly text: string } | { readonly kind: 'enter' | 'newline' };

export interface InputSplitter {
  push(text: string): readonly InputPart[];
  /** What was kept as the possible beginning of a mark, when nothing followed it. */
  flush(): readonly InputPart[];
  readonly isKeeping: boolean;
}

const pasteStart = '\u001b[200~';
const pasteEnd = '\u001b[201~';
/** Alt-Enter in its spellings, Shift-Enter where the terminal tells it apart, Ctrl-J. */

const special = /\u001b\[200~|\u001b[\r\n]|\u001b\[13;[2-4]u|\r|\n/;

export function createInputSplitter(): InputSplitter {
  let kept = '';
  let pasted: string | null = null;

  const split = (text: string, last: boolean): readonly InputPart[] => {
    let rest = kept + text;
    kept = '';
    const parts: InputPart[] = [];
    for (;;) {
      if (pasted !== null) {
        const end = rest.indexOf(pasteEnd);
        if (end === -1) {
          const tail = last ? 0 : beginningOf(pasteEnd, rest);
          pasted += rest.slice(0, rest.length - tail);
          kept = rest.slice(rest.length - tail);
          return parts;
        }
        parts.push({ kind: 'paste', text: pasted + rest.slice(0, end) });
        rest = rest.slice(end + pasteEnd.length);
        pasted = null;
        continue;
      }
      const found = special.exec(rest);
      if (found === null) break;
      if (found.index > 0) parts.push({ kind: 'keys', text: rest.slice(0, found.index) });
      rest = rest.slice(found.index + found[0].length);
      if (found[0] === pasteStart) pasted = '';
      else parts.push({ kind: found[0] === '\r' ? 'enter' : 'newline' });
    }
    const tail = last ? 0 : beginningOf(pasteStart, rest);
    kept = rest.slice(rest.length - tail);
    const keys = rest.slice(0, rest.length - tail);
    if (keys !== '') parts.push({ kind: 'keys', text: keys });
    return parts;
  };

  return {
    push: (text) => split(text, false),
    flush: () => split('', true),
    get isKeeping() {
      return kept !== '';
    },
  };
}

/** Units at the end of `text` that may be the beginning of `mark`. */
function beginningOf(mark: string, text: string): number {
  for (let units = Math.min(mark.length - 1, text.length); units > 0; units--) {
    if (text.endsWith(mark.slice(0, units))) return units;
  }
  return 0;
}
