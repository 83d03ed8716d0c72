import { describe, expect, test } from '@jest/globals';
import { createTurnReader, toLatencies } from '../../bench/arena/turn-reader.ts';
import type { ServerFrame } from '../../src/protocol/frames.ts';

const delta = (offset: number, text: string, attempt = 1): ServerFrame =>
  ({ type: 'delta', channel: 'answer', attempt, offset, text }) as ServerFrame;
const end = { type: 'turn_completed' } as ServerFrame;
const completed = (text: string): ServerFrame => ({ type: 'agent_completed', text }) as ServerFrame;

const read = (...frames: readonly ServerFrame[]) => {
  const reader = createTurnReader();
  for (const frame of frames) reader.take(frame);
  return reader.ended;
};

describe('A5: the reader of a measured turn', () => {
  test('finds nothing in an answer that came whole', async () => {
    const reading = await read(delta(0, 'one '), delta(4, 'two'), completed('one two'), end);
    expect(reading).toMatchObject({ text: 'one two', lost: 0, doubled: 0 });
  });

  test('counts what came twice', async () => {
    const reading = await read(delta(0, 'one '), delta(2, 'e two'), completed('one two'), end);
    expect(reading).toMatchObject({ text: 'one two', lost: 0, doubled: 2 });
  });

  test('counts what never came', async () => {
    const reading = await read(delta(0, 'one '), delta(6, 'o'), completed('one two'), end);
    expect(reading.lost).toBeGreaterThan(0);
    expect((await read(delta(0, 'one '), completed('one two'), end)).lost).toBe(3);
  });

  test('forgets the text of an attempt that was withdrawn', async () => {
    const reading = await read(delta(0, 'wrong'), delta(0, 'right', 2), completed('right'), end);
    expect(reading).toMatchObject({ text: 'right', lost: 0, doubled: 0 });
  });

  test('fails with what the product said when the turn did not complete', async () => {
    await expect(read({ type: 'turn_failed' } as ServerFrame)).rejects.toThrow('turn_failed');
  });
});

describe('the time of a token', () => {
  test('is that of the piece that brought its last character', () => {
    const pieces = [
      { end: 3, at: 10 },
      { end: 9, at: 20 },
    ];
    expect(toLatencies({ pieces }, ['aaa', 'bbb', 'ccc'], [1, 2, 3])).toEqual([9, 18, 17]);
  });

  test('that never came is an error, not left out', () => {
    expect(() => toLatencies({ pieces: [] }, ['a'], [1])).toThrow('it never came');
  });
});
