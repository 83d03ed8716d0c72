// Rows of the timeline say what happened and what was taken back.

import { describe, expect, test } from '@jest/globals';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { toTranscript } from '../../src/protocol/transcript.ts';
import { toTimeline } from '../../web/src/timeline.ts';
import { withdrawnSentence } from '../../web/src/wording.ts';
import { createTurnScript } from './turn-script.ts';

test('a retried turn shows each attempt, its cause, what was withdrawn and the next try', () => {
  const script = createTurnScript('t' as TurnId, 'c' as ConversationId);
  const rows = toTimeline(
    toTranscript([
      script.accepted('Question?'),
      script.started(),
      script.thinking(1),
      script.delta(0, 'x'.repeat(120)),
      script.attemptFailed(1, 120),
      script.thinking(2),
      script.answered('Answer', 2),
      script.completed(),
    ]),
  );
  expect(rows.map(({ type, title, details }) => [type, title, ...details])).toEqual([
    ['turn_accepted', 'Message accepted'],
    ['agent_started', 'Agent operator loaded', 'model test-model', '1 passage of knowledge'],
    ['agent_thinking', 'Model called', 'step 1', 'attempt 1 of 4', 'test-model'],
    ['attempt_failed', 'Attempt 1 of 4 failed', 'withdrawn: 120 characters of attempt 1'],
    ['agent_thinking', 'Model called again', 'step 1', 'attempt 2 of 4', 'test-model'],
    ['agent_completed', 'Model answered', '6 characters', 'unknown tokens in, unknown out', 'finish reason stop'],
    ['turn_completed', 'Completed'],
  ]);
  expect(rows[3]).toMatchObject({ error: { code: 'llm_stream_truncated' }, retryAt: '2026-01-02T03:04:09.000Z' });
});

test('an event of a newer gateway is shown by its name', () => {
  const script = createTurnScript('t' as TurnId, 'c' as ConversationId);
  const unknown = { ...script.queued('u' as TurnId), type: 'model_changed', seq: 2 } as never;
  const rows = toTimeline(toTranscript([{ ...script.accepted('Question?'), seq: 1 }, unknown]));
  expect(rows[1]).toMatchObject({ title: 'model_changed', tone: 'neutral' });
});

describe('withdrawn text', () => {
  test.each([
    [0, 1, false, null],
    [1, 1, false, 'withdrawn: 1 character of attempt 1'],
    [1200, 2, true, 'withdrawn: at least 1,200 characters of attempt 2'],
    [5, undefined, false, 'withdrawn: 5 characters'],
  ] as const)('%d characters of attempt %s', (chars, attempt, atLeast, sentence) => {
    expect(withdrawnSentence(chars, attempt, atLeast)).toBe(sentence);
  });
});
