/** What an event stream may hold is let pass, wherever it is cut; anything else is found. */
import { describe, expect, test } from '@jest/globals';
import { createEventLines } from '../../src/llm/event-lines.ts';

const acceptsAll = (...pieces: readonly string[]): boolean => {
  const lines = createEventLines();
  return pieces.every((piece) => lines.accept(piece));
};

describe('an event stream', () => {
  test.each([
    ['data with and without a space', 'data: {}\n\ndata:{}\n\n'],
    ['all its fields', 'event: error\nid: 1\nretry: 5\ndata\n\n'],
    ['a comment that keeps the connection open', ': ping\n\n'],
    ['a field that nobody knows', 'x-trace.id: 7\n\n'],
    ['every end of a line', 'data: a\r\ndata: b\rdata: c\n'],
    ['a line of any length', `data: ${'x'.repeat(100_000)}\n`],
  ])('may hold %s', (_, text) => {
    expect(acceptsAll(text)).toBe(true);
    expect(acceptsAll(...text.slice(0, 200))).toBe(true);
  });

  test.each([
    ['a page', '<html>\n'],
    ['an object that is no event', '{"error":{"message":"no"}}\n'],
    ['words', 'upstream connect error\n'],
    ['a page behind an event', 'data: {}\n\n<html>\n'],
  ])('may not hold %s', (_, text) => {
    expect(acceptsAll(text)).toBe(false);
    expect(acceptsAll(...text)).toBe(false);
  });

  test('is not judged before a line is whole', () => {
    expect(acceptsAll('<ht')).toBe(true);
  });
});
