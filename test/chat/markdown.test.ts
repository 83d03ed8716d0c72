// Markdown as rows of a terminal, while it grows and when it is whole.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createGrowingMarkdown } from '../../src/chat/markdown/growing.ts';
import { createPaint, plainOf, rowColumns, type Row } from '../../src/chat/screen/row.ts';
import { cutAt, visible } from './terminal-text.ts';

const whole = (text: string, columns = 40): readonly string[] => plain(createGrowingMarkdown(columns).rows(text, true));
const plain = (rows: readonly Row[]): readonly string[] => rows.map(plainOf).map((line) => line.trimEnd());
const painted = (text: string): string =>
  createGrowingMarkdown(60)
    .rows(text, true)
    .map(createPaint({ color: true }))
    .join('\n');

const document = `# Restarting **a job**

Use \`qdel\` first, then *wait*; the [manual](https://docs.example/jobs) says why. ~~Never~~ twice.

- drain the node
- restart
  - with care
- [x] check

1. one
2. two

\`\`\`sh
qdel 42

qsub job.sh
\`\`\`

| state | jobs | meaning |
|:--|--:|:-:|
| R | 120 | running |
| Q | 7 | waiting |

> quoted
> text

---

The end.`;

describe('markdown in a terminal', () => {
  test('every kind of block', () => {
    expect(whole(document)).toEqual([
      '# Restarting a job',
      '',
      'Use `qdel` first, then wait; the manual',
      '(https://docs.example/jobs) says why.',
      'Never twice.',
      '',
      '• drain the node',
      '• restart',
      '  • with care',
      '• [x] check',
      '',
      '1.  one',
      '2.  two',
      '',
      '  sh',
      '  qdel 42',
      '',
      '  qsub job.sh',
      '',
      'state │ jobs │ meaning',
      '──────┼──────┼────────',
      'R     │  120 │ running',
      'Q     │    7 │ waiting',
      '',
      '│ quoted text',
      '',
      '────────────────────────────────────────',
      '',
      'The end.',
    ]);
  });

  test('what is strong, emphasized, deleted, code or a link looks so', () => {
    expect(painted('**a** *b* ~~c~~ `d` https://e.example')).toBe(
      '\u001b[1ma\u001b[22m \u001b[3mb\u001b[23m \u001b[9mc\u001b[29m \u001b[36m`d`\u001b[39m \u001b[4m\u001b[34mhttps://e.example\u001b[39m\u001b[24m',
    );
  });

  test('a link says where it leads, also when its text is another address', () => {
    expect(whole('[https://bank.example](https://evil.example)', 80)).toEqual([
      'https://bank.example (https://evil.example)',
    ]);
  });

  test('a table that is too wide is wrapped within its columns, one of too many columns becomes a list', () => {
    expect(whole('| a | what it is |\n|---|---|\n| x | one two three four |', 20)).toEqual([
      'a    │ what it is',
      '─────┼──────────────',
      'x    │ one two three',
      '     │ four',
    ]);
    expect(whole('|a|b|c|d|e|\n|-|-|-|-|-|\n|1|2|3|4|5|', 20).slice(0, 6)).toEqual([
      '- a',
      '- b',
      '- c',
      '- d',
      '- e',
      '',
    ]);
  });

  test('wide characters, joined emoji and combining marks never make a row wider than it may be', () => {
    const text = '漢字も表示されます 👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧 e\u0301e\u0301 🇩🇪🇫🇷 '.repeat(6);
    for (const line of createGrowingMarkdown(21).rows(`${text}\n\n- ${text}\n\n\`\`\`\n${text}\n\`\`\``, true)) {
      expect(rowColumns(line)).toBeLessThanOrEqual(21);
    }
    expect(whole(text, 21).join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
  });

  test('a character reference cannot bring a control in', () => {
    expect(painted('&#27;[2J &#x9b;2J &#x202e;')).toBe('\ufffd[2J \ufffd2J \ufffd');
  });

  test('a link that is defined in an earlier block is known in a later one', () => {
    expect(whole('[m]: https://m.example\n\nSee [m].')).toEqual(['[m]: https://m.example', '', 'See m [m].']);
    const growing = createGrowingMarkdown(40);
    growing.rows('[m]: https://m.example\n\nSee', false);
    expect(plain(growing.rows('[m]: https://m.example\n\nSee [m].', true))).toEqual(
      whole('[m]: https://m.example\n\nSee [m].'),
    );
  });
});

describe('markdown that grows', () => {
  test('ends as the whole text does, however it came', () => {
    const text = fc.array(visible, { maxLength: 40 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(400), { maxLength: 10 }), (source, places) => {
        const growing = createGrowingMarkdown(30);
        let sent = '';
        for (const piece of cutAt(source, places)) {
          sent += piece;
          growing.rows(sent, false);
        }
        expect(letters(plain(growing.rows(source, true)))).toBe(letters(whole(source, 30)));
      }),
      { numRuns: 150 },
    );
    const growing = createGrowingMarkdown(40);
    for (let end = 1; end < document.length; end += 1) growing.rows(document.slice(0, end), false);
    expect(plain(growing.rows(document, true))).toEqual(whole(document));
  });

  test('rows of blocks that are over do not change', () => {
    const growing = createGrowingMarkdown(40);
    let settled: readonly string[] = [];
    for (let end = 1; end <= document.length; end += 1) {
      const rows = plain(growing.rows(document.slice(0, end), end === document.length));
      expect(rows.slice(0, settled.length)).toEqual(settled);
      settled = rows.slice(0, growing.settled);
    }
    expect(settled).toHaveLength(whole(document).length);
  });

  test('a mark that is not closed yet counts as closed, and one that says nothing yet is held back', () => {
    const open = (text: string): readonly string[] => plain(createGrowingMarkdown(40).rows(text, false));
    expect(open('some **bold wor')).toEqual(['some bold wor']);
    expect(open('some `code')).toEqual(['some `code`']);
    expect(open('a paragraph\n-')).toEqual(['a paragraph']);
    expect(open('- one\n- ')).toEqual(['• one']);
    expect(open('```\ncode\n``')).toEqual(['  code']);
  });

  test('another text than what was shown is laid out from its beginning', () => {
    const growing = createGrowingMarkdown(40);
    growing.rows('# First\n\nand more', false);
    expect(plain(growing.rows('Second', false))).toEqual(['Second']);
  });
});

const letters = (rows: readonly string[]): string => (rows.join('').match(/[\p{L}\p{N}]/gu) ?? []).join('');
