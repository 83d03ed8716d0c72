// The last block of an answer that is still being written, as its writer means it: emphasis and code that were opened
// are closed, and a last line of which only marks are there is held back. For the screen only; the whole text is laid
// out as it is.

/** A line that begins as marks says nothing yet: `-` under a paragraph would make it a heading for a moment. */
const onlyMarks = /(^|\n)[ \t>]*([-=*+#|~`_: ]+|\d{1,9}[.)]?)$/;
const onlyFence = /\n[ \t]*(`+|~+)$/;

export function closeOpenMarks(source: string, type: string): string {
  if (type === 'code') return source.replace(onlyFence, '\n');
  if (type === 'html') return source;
  const held = source.replace(onlyMarks, '$1');
  const from = Math.max(held.lastIndexOf('\n\n'), lastItem(held)) + 1;
  return held.slice(0, from) + closed(held.slice(from));
}

/** Marks do not reach from one item, row or paragraph into the next. */
const lastItem = (text: string): number => {
  const items = [...text.matchAll(/\n[ \t>]*(?:[-*+]|\d{1,9}[.)]|\|)[ \t]/g)];
  return items.at(-1)?.index ?? -1;
};

function closed(text: string): string {
  const open: string[] = [];
  let code = '';
  for (const { 0: mark, index } of text.matchAll(/\\.|`+|\*{1,3}|_{1,3}|~~/gs)) {
    if (mark.startsWith('\\')) continue;
    if (mark.startsWith('`')) {
      if (code === '') code = mark;
      else if (code === mark) code = '';
      continue;
    }
    if (code !== '') continue;
    const before = text[index - 1] ?? ' ';
    const after = text[index + mark.length] ?? ' ';
    const inWord = /\w/.test(before) && /\w/.test(after);
    if (mark.startsWith('_') && inWord) continue;
    if (open.at(-1) === mark && !/\s/.test(before)) open.pop();
    else if (!/\s/.test(after)) open.push(mark);
  }
  const end = text.trimEnd();
  const space = text.slice(end.length);
  // A mark with nothing behind it is not shown: what it opens is not there yet.
  if (code !== '')
    return end.endsWith(code) ? end.slice(0, -code.length) : end + code + open.reverse().join('') + space;
  const bare = open.length === 0 ? end.replace(/(^|\s)(\*{1,3}|_{1,3}|~~)$/, '$1') : end;
  return bare + open.reverse().join('') + space;
}
