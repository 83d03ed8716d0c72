import { expect, test } from '@jest/globals';
import { createHandedOver } from '../../src/activities/handed-over.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import type { StoredPrompt } from '../../src/protocol/ports.ts';

const turn = (n: number): TurnId => `turn-${n}` as TurnId;
const prompt = (content: string): StoredPrompt => ({
  messages: [{ role: 'user', content }],
  sha256: `sha of ${content}`,
  context: [],
});

test('a prompt that was handed over is taken once', () => {
  const handedOver = createHandedOver();
  handedOver.give(turn(1), prompt('one'));
  expect(handedOver.take(turn(1), 'sha of one')).toEqual(prompt('one'));
  expect(handedOver.take(turn(1), 'sha of one')).toBeNull();
});

test('of a turn that was retrieved again it is the last one; another hash gets none', () => {
  const handedOver = createHandedOver();
  handedOver.give(turn(1), prompt('one'));
  handedOver.give(turn(1), prompt('two'));
  expect(handedOver.take(turn(1), 'sha of one')).toBeNull();
  expect(handedOver.take(turn(1), 'sha of two')).toBeNull();
});

test('what nobody takes goes when there is too much: the oldest first, and one that is too large at once', () => {
  const handedOver = createHandedOver(10);
  for (const n of [1, 2, 3]) handedOver.give(turn(n), prompt('4444'));
  expect(handedOver.take(turn(1), 'sha of 4444')).toBeNull();
  expect(handedOver.take(turn(2), 'sha of 4444')).not.toBeNull();
  handedOver.give(turn(4), prompt('x'.repeat(11)));
  expect(handedOver.take(turn(4), `sha of ${'x'.repeat(11)}`)).toBeNull();
});
