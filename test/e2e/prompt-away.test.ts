// The store goes away between the prompt's writing and its reading: no model was called, so no try of it may be used up.
// A first call is handed the prompt in its worker; whoever calls later reads it.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CandorError } from '../../src/protocol/errors.ts';
import { answerOf, terminalOf } from '../../src/protocol/transcript.ts';
import { answer, refuse } from '../../testing/upstream/upstream.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';

/** As many as a model call has: one more would end the turn if these were tries. */
let failures = 4;
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    decorate: {
      graph: (graph) => ({
        ...graph,
        async readPrompt(turnId) {
          if (failures-- > 0) throw new CandorError('graph_unavailable');
          return graph.readPrompt(turnId);
        },
      }),
    },
  });
});
afterAll(() => stack.close());

test('J6: a store that is away when the prompt is to be read is waited for, and no try of the model is used up', async () => {
  stack.upstream.chat.enqueue(refuse(503), answer(['A job is ', 'restarted.']));
  const ada = await stack.connect();
  const turnId = newTurnId();
  ada.message(turnId, newConversationId(), 'How do I restart a job?');
  const waiting = await ada.untilEvent(turnId, 'waiting');
  expect(waiting.reason).toBe('graph');
  const transcript = await ada.untilEnd(turnId);
  expect(terminalOf(transcript)?.type).toBe('turn_completed');
  expect(answerOf(transcript)).toBe('A job is restarted.');
  const failed = ada.events(turnId).flatMap((event) => (event.type === 'attempt_failed' ? [event.error.code] : []));
  expect(failed).toEqual(['llm_unavailable']);
  const calls = stack.upstream.calls.filter(({ isJson }) => !isJson);
  expect(calls).toHaveLength(2);
  expect(calls[1]?.body).toEqual(calls[0]?.body);
});
