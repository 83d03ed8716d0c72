// What comes over the wire cannot steer the terminal: sequences are taken out however they are cut, and nothing else is.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toJsonLine } from '../../src/chat/one-turn.ts';
import { createControlFilter, toOneLine, withoutControls } from '../../src/chat/text/control-filter.ts';
import { cutAt, hostileText, sequences } from './terminal-text.ts';

describe('controls in what a model says', () => {
  test.each(sequences.map((sequence) => [toJsonLine(sequence).trim(), sequence]))(
    '%s is taken out',
    (_name, sequence) => {
      expect(withoutControls(`before${sequence}after`)).toBe('beforeafter');
    },
  );

  test('the visible text is the text without controls', () => {
    fc.assert(
      fc.property(hostileText, ([sent, seen]) => {
        expect(withoutControls(sent)).toBe(seen);
      }),
      { numRuns: 2_000 },
    );
  });

  test('it does not matter how a text is cut', () => {
    fc.assert(
      fc.property(hostileText, fc.array(fc.nat(200), { maxLength: 8 }), ([sent], places) => {
        const filter = createControlFilter();
        const shown = cutAt(sent, places).map((piece) => filter.push(piece));
        expect(shown.join('') + filter.end()).toBe(withoutControls(sent));
      }),
      { numRuns: 2_000 },
    );
  });

  test('whatever units come, no control is left', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(withoutControls(text)).not.toMatch(
          /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test('text behind a sequence that never ends is shown: only its introducer is taken out', () => {
    expect(withoutControls('a\u001b]0;and so on\nthe next line')).toBe('a]0;and so on\nthe next line');
    const long = 'x'.repeat(5_000);
    expect(withoutControls(`\u001b]0;${long}`)).toBe(`]0;${long}`);
  });

  test('a carriage return does not write over the line before it', () => {
    expect(withoutControls('safe\rgone')).toBe('safe\ngone');
    expect(withoutControls('one\r\ntwo')).toBe('one\ntwo');
  });

  test('marks that turn the direction of reading become visible', () => {
    expect(withoutControls('user\u202etxt.exe\u2066')).toBe('user‹U+202E›txt.exe‹U+2066›');
  });

  test('what is taken out is counted', () => {
    const filter = createControlFilter();
    filter.push('a\u001b[2');
    filter.push('Jb\r\n\u0007');
    filter.end();
    expect(filter.removedUnits).toBe(5);
  });

  test('a field is one line, and cut where it says so', () => {
    expect(toOneLine(' two\nlines\u001b[31m ')).toBe('two lines');
    expect(toOneLine('abcdef', 3)).toBe('abc…');
  });
});
