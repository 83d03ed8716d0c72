// A message that comes while the model is still being loaded: a durable turn that says what it waits for, and is answered
// when the model is there.

import { expect, test } from '@jest/globals';
import type { ModelReadiness } from '../../src/protocol/ports.ts';
import { answerOf } from '../../src/protocol/transcript.ts';
import { newConversationId, newTurnId, startStack } from '../stack.ts';
import { answer } from '../../testing/upstream/upstream.ts';

test('waiting {reason: model_loading}, then the answer, with the load not counted as silence of the model', async () => {
  let state: ReturnType<ModelReadiness> = { state: 'loading', progress: 0.5 };
  const stack = await startStack({ readiness: () => state });
  try {
    const turnId = newTurnId();
    stack.upstream.chat.enqueue(answer('Here I am.'));
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), 'Is the model there?');
    const waiting = await ada.untilEvent(turnId, 'waiting');
    expect(waiting).toMatchObject({ reason: 'model_loading', since: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(stack.upstream.calls).toHaveLength(0);
    state = null;
    const transcript = await ada.untilEnd(turnId);
    expect(answerOf(transcript)).toBe('Here I am.');
    expect(transcript.waiting).toBeNull();
    expect(transcript.log.filter((event) => event.type === 'attempt_failed')).toEqual([]);
  } finally {
    await stack.close();
  }
});

test('a model that cannot come fails the turn at once, with the reason', async () => {
  const stack = await startStack({ readiness: () => ({ state: 'failed', reason: 'its file is broken' }) });
  try {
    const turnId = newTurnId();
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), 'Is the model there?');
    const failed = await ada.untilEvent(turnId, 'turn_failed');
    expect(failed.error).toMatchObject({ code: 'llm_unavailable', retryable: false });
    expect(failed.error.message).toContain('its file is broken');
    expect(stack.upstream.calls).toHaveLength(0);
  } finally {
    await stack.close();
  }
});

test('a turn stopped while the model is loading says that no connection was open, and its receipt lists no call', async () => {
  const stack = await startStack({ readiness: () => ({ state: 'loading', progress: null }) });
  try {
    const turnId = newTurnId();
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), 'Is the model there?');
    await ada.untilEvent(turnId, 'waiting');
    ada.send({ type: 'cancel', turnId });
    const cancelled = await ada.untilEvent(turnId, 'turn_cancelled');
    expect(cancelled).toMatchObject({ by: 'user', upstreamClosedAt: null, charsAfterStop: null });
    expect(cancelled.receipt).toMatchObject({ outcome: 'cancelled', attempts: [], backend: null });
    expect(stack.upstream.calls).toHaveLength(0);
  } finally {
    await stack.close();
  }
});
