// The lower part of the screen changes, what is above it stays: whatever frames come, an emulated terminal shows the last
// one below everything that was printed for good.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createOpenSection } from '../../src/chat/screen/open-section.ts';
import { createPainter } from '../../src/chat/screen/painter.ts';
import { createPaint, plainOf, row, type Row } from '../../src/chat/screen/row.ts';
import { createEmulatedTerminal } from './emulated-terminal.ts';
import { foreignControl } from './terminal-text.ts';

const lines = (max: number) => fc.array(fc.stringMatching(/^[a-z]{1,3}$/), { maxLength: max });
const toRows = (texts: readonly string[]): readonly Row[] => texts.map((text) => row(text, 'code'));

describe('the painter', () => {
  test('any frames leave what was printed, then the last region', async () => {
    const frames = fc.array(fc.record({ done: lines(6), region: lines(7), cursor: fc.nat(6) }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(frames, async (given) => {
        const emulated = createEmulatedTerminal(20, 8);
        const painter = createPainter((text) => void emulated.terminal.write(text), createPaint({ color: true }));
        const printed: string[] = [];
        for (const { done, region, cursor } of given) {
          printed.push(...done);
          painter.draw({ done: toRows(done), region: toRows(region), cursor: { row: cursor, column: 1 } });
        }
        expect(await emulated.all()).toEqual([...printed, ...(given.at(-1)?.region ?? [])]);
        expect(foreignControl(emulated.written)).toBeNull();
      }),
      { numRuns: 200 },
    );
  });

  test('writes only rows that differ', () => {
    let written = '';
    const painter = createPainter((text) => (written += text), createPaint({ color: false }));
    const region = (last: string): readonly Row[] => ['first row', 'second row', last].map((text) => row(text));
    painter.draw({ done: [], region: region('a'), cursor: { row: 2, column: 1 } });
    written = '';
    painter.draw({ done: [], region: region('b'), cursor: { row: 2, column: 1 } });
    expect(written).toContain('b');
    expect(written).not.toContain('row');
    written = '';
    painter.draw({ done: [], region: region('b'), cursor: { row: 2, column: 1 } });
    expect(written).toBe('');
  });
});

describe('a section that is under way', () => {
  const texts = (rows: readonly Row[]): readonly string[] => rows.map(plainOf);

  test('keeps the rows that fit and prints the others for good, each once', () => {
    fc.assert(
      fc.property(
        lines(30),
        fc.array(fc.nat(30), { maxLength: 6 }),
        fc.integer({ min: 1, max: 6 }),
        (all, ends, room) => {
          const section = createOpenSection();
          const done: string[] = [];
          for (const end of ends.sort((a, b) => a - b)) {
            const placed = section.place(toRows(all.slice(0, end)), room);
            done.push(...texts(placed.done));
            expect(placed.region.length).toBeLessThanOrEqual(room);
          }
          done.push(...texts(section.finish(toRows(all))));
          expect(done).toEqual(all);
        },
      ),
    );
  });

  test('says that printed rows are withdrawn, and goes on with what holds', () => {
    const section = createOpenSection();
    section.place(toRows(['question', 'wrong', 'more', 'last']), 1);
    const { done, region } = section.place(toRows(['question', 'failed', 'right']), 2);
    expect(texts(done)).toEqual(['↑ withdrawn: the 2 rows above; what holds follows']);
    expect(texts(region)).toEqual(['failed', 'right']);
  });

  test('in another width, finds what was printed by its letters', () => {
    const section = createOpenSection();
    section.place(toRows(['aa bb', 'cc dd', 'ee']), 1);
    const wider = toRows(['aa bb cc', 'dd ee']);
    section.relaid(wider);
    const { done, region } = section.place(wider, 5);
    expect([texts(done), texts(region)]).toEqual([[], ['dd ee']]);
  });
});
