// Text with what a terminal would obey in it, for properties: pieces that are to be seen and pieces that are not.

import fc from 'fast-check';

/** Sequences that terminals act upon, each whole. */
export const sequences: readonly string[] = [
  '\u001b[2J',
  '\u001b[1;31m',
  '\u001b[?1049h',
  '\u001b[6n',
  '\u001b]0;a title\u0007',
  '\u001b]8;;https://evil.example\u001b\\',
  '\u001b]52;c;ZXZpbA==\u0007',
  '\u001bP$q"p\u001b\\',
  '\u001b_application\u001b\\',
  '\u001b^private\u001b\\',
  '\u001bXstring\u001b\\',
  '\u001bc',
  '\u001b7',
  '\u001b(B',
  '\u009b2J',
  '\u009d0;title\u009c',
  '\u0090q\u009c',
  '\u0007',
  '\b',
  '\u0000',
  '\u000b',
  '\u000c',
  '\u007f',
  '\u0085',
  '\u008d',
];

/** What is to be seen: no controls, and nothing that would go on with a sequence before it. */
export const visible: fc.Arbitrary<string> = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9 .,#*_`|>()-]{0,20}$/),
  fc.constantFrom('漢字', '👩‍👩‍👧', 'é', '\n', '\n\n', '- ', '1. ', '```\n', '| a | b |\n|---|---|\n', '**', 'ü', '🇩🇪'),
);

/** `[what is sent, what is to be seen of it]`. */
export const hostileText: fc.Arbitrary<readonly [string, string]> = fc
  .array(
    fc.oneof(
      visible.map((text) => [text, text] as const),
      fc.constantFrom(...sequences).map((text) => [text, ''] as const),
    ),
  )
  .map((pieces) => [pieces.map(([sent]) => sent).join(''), pieces.map(([, seen]) => seen).join('')] as const);

/** The text in pieces, cut anywhere but within a surrogate pair. */
export function cutAt(text: string, places: readonly number[]): readonly string[] {
  const points = Array.from(text);
  const cuts = [...new Set(places.map((place) => place % (points.length + 1)))].sort((a, b) => a - b);
  return [...cuts, points.length].map((end, index) => points.slice(index === 0 ? 0 : cuts[index - 1], end).join(''));
}

const own = /\u001b\[(?:\d+(?:;\d+)*)?[ABCKJm]|\u001b\[\?(?:25|2004|2026)[hl]|\r\n|\r/g;

const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** What a terminal would obey in `written` beside the sequences that the chat draws with; `null`: nothing. */
export const foreignControl = (written: string): string | null =>
  control.exec(written.replaceAll(own, ''))?.[0] ?? null;
