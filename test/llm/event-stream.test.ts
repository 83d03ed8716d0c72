/** What an event stream may hold is read, wherever it is cut; anything else is found. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEventStream } from '../../src/llm/event-stream.ts';

const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const readAll = (...pieces: readonly (string | Uint8Array)[]): string[] => {
  const stream = createEventStream();
  const events = pieces.flatMap((piece) => stream.read(typeof piece === 'string' ? toBytes(piece) : piece));
  stream.end();
  return events;
};

describe('an event stream', () => {
  test.each([
    ['data with and without a space', 'data: {}\n\ndata:{}\n\n', ['{}', '{}']],
    ['all its fields', 'event: error\nid: 1\nretry: 5\ndata\n\n', ['']],
    ['a retry that is no number', 'retry: soon\ndata: a\n\n', ['a']],
    ['a comment that keeps the connection open', ': ping\n\ndata: a\n\n', ['a']],
    ['a field that nobody knows', 'x-trace.id: 7\ndata: a\n\n', ['a']],
    ['every end of a line', 'data: a\r\ndata: b\rdata: c\n\n', ['a\nb\nc']],
    ['a line of any length', `data: ${'x'.repeat(100_000)}\n\n`, ['x'.repeat(100_000)]],
    ['an end, behind which nothing counts', 'data: a\n\ndata: [DONE]\n\ndata: b\n\n', ['a']],
    ['an event that is not whole: it does not count', 'data: a\n\ndata: b\n', ['a']],
  ])('may hold %s', (_, text, events) => {
    expect(readAll(text)).toEqual(events);
    expect(readAll(...Array.from(text.slice(0, 200), toBytes), text.slice(200))).toEqual(events);
  });

  test('is the same however its bytes are cut, inside of characters too', () => {
    const anyEvents = fc.array(fc.string({ unit: 'binary', maxLength: 8 }).map((text) => JSON.stringify({ text })));
    fc.assert(
      fc.property(anyEvents, fc.array(fc.nat({ max: 200 })), (events, places) => {
        const bytes = toBytes(events.map((event) => `data: ${event}\n\n`).join(''));
        const cuts = [0, ...places.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length];
        expect(readAll(...cuts.slice(1).map((cut, n) => bytes.subarray(cuts[n], cut)))).toEqual(events);
      }),
    );
  });

  test.each([
    ['a page', '<html>\n'],
    ['an object that is no event', '{"error":{"message":"no"}}\n'],
    ['words', 'upstream connect error\n'],
    ['a page behind an event', 'data: {}\n\n<html>\n'],
  ])('may not hold %s', (_, text) => {
    expect(() => readAll(text)).toThrow('noEvents');
    expect(() => readAll(...text)).toThrow('noEvents');
  });

  test('is not judged before a line is whole', () => {
    expect(readAll('<ht')).toEqual([]);
  });

  test('may not hold bytes that are no UTF-8, nor end inside of a character', () => {
    expect(() => readAll(Uint8Array.of(0x64, 0xff, 0x0a))).toThrow('notUtf8');
    expect(() => readAll(toBytes('data: é').subarray(0, -1))).toThrow('notUtf8');
  });

  test('may not hold a line without an end', () => {
    const stream = createEventStream();
    const bytes = toBytes(`data: ${'x'.repeat(64 * 1024)}`);
    expect(() => {
      for (let n = 0; n < 64; n++) stream.read(bytes);
    }).toThrow('lineTooLong');
  });
});
