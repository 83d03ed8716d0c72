import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createStopFilter } from '../../../src/parts/model-server/held-text.ts';

test('text up to the first stop string comes out, however it was cut, and never a part of that string', () => {
  const stops = ['END', 'aab'];
  const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'E', 'N', 'D', ' '), maxLength: 5 }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(pieces, (input) => {
      const filter = createStopFilter(stops);
      let text = '';
      let stopped = false;
      for (const piece of input) {
        const passed = filter.push(piece);
        text += passed.text;
        stopped = passed.stopped;
        if (stopped) break;
      }
      text += filter.flush();
      const all = input.join('');
      const first = Math.min(...stops.map((stop) => all.indexOf(stop)).map((at) => (at < 0 ? all.length : at)));
      expect(stopped).toBe(first < all.length);
      expect(text).toBe(all.slice(0, first));
    }),
  );
});

test('text that cannot become a stop string is not held back', () => {
  const filter = createStopFilter(['STOP']);
  expect(filter.push('abc').text).toBe('abc');
  expect(filter.push('S').text).toBe('');
  expect(filter.push('x').text).toBe('Sx');
});
