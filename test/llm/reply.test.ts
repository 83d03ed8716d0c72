/** However events come together, a reply says the same and fails at the same event. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createReply } from '../../src/llm/reply.ts';

const toEvent = (delta: object): string => JSON.stringify({ id: 'c', choices: [{ index: 0, delta }] });
const anyText = fc.string({ unit: fc.constantFrom('a', ' ', 'é', '\ud83d', '\ude00', '😀'), maxLength: 3 });
const anyEvent = fc.oneof(
  { weight: 6, arbitrary: anyText.map((content) => toEvent({ content })) },
  { weight: 3, arbitrary: anyText.map((content) => toEvent({ reasoning_content: content })) },
  { weight: 1, arbitrary: fc.constantFrom('{', '[]', '{"error":{"message":"no"}}', '{"choices":[{"delta":7}]}') },
);

function read(batches: readonly (readonly string[])[]) {
  const reply = createReply(() => ({ model: 'm', backend: 'b', secrets: [], upstream: null }));
  const said = { answer: '', reasoning: '', failure: null as unknown };
  for (const batch of batches) {
    const { texts, failure } = reply.read(batch);
    for (const { channel, text } of texts) {
      expect(text.isWellFormed()).toBe(true);
      said[channel] += text;
    }
    if (failure !== null) return { ...said, failure: failure.info };
  }
  return said;
}

test('events that come together say what they say one by one, up to the first that no reply may hold', () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyEvent)), (batches) => {
      expect(read(batches)).toEqual(read(batches.flat().map((event) => [event])));
    }),
  );
});
