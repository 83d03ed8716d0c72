// Text of an older try that arrives late – from a worker that was slow to notice, by a lane that kept it – is shown to
// nobody: not while the next try runs, not behind its end (R28, R29).

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Delta } from '../../src/protocol/events.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import { answerOf } from '../../src/protocol/transcript.ts';
import { answer, createValve, resetAfter } from '../../testing/upstream/upstream.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { createReplies, questionOf, type Replies } from './replies.ts';

/** Deltas of the first try of a turn, kept for later; `isLost`: they are not sent in time at all. */
const kept = new Map<TurnId, { readonly isLost: boolean; readonly deltas: Delta[] }>();
let publishLate: (delta: Delta) => void;
let stack: Stack;
let replies: Replies;
beforeAll(async () => {
  stack = await startStack({
    decorate: {
      lane(inner) {
        publishLate = (delta) => inner.publish(delta);
        return {
          ...inner,
          publish(event) {
            const late = event.type === 'delta' && event.attempt === 1 ? kept.get(event.turnId) : undefined;
            if (late !== undefined && event.type === 'delta') late.deltas.push(event);
            if (late?.isLost !== true) inner.publish(event);
          },
        };
      },
    },
  });
  replies = createReplies(stack.upstream);
});
afterAll(() => stack.close());

describe.each([
  ['comes a second time', false],
  ['comes only now', true],
])('text of a failed try that %s', (_, isLost) => {
  test('changes nothing while the next try runs, nor after the end', async () => {
    const turnId = newTurnId();
    const late = { isLost, deltas: [] as Delta[] };
    kept.set(turnId, late);
    const valve = createValve();
    const chunks = ['new ', 'and ', 'whole'];
    replies.to(questionOf(turnId), resetAfter(['old ', 'words ']), answer(chunks, { valve }));
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    await ada.untilEvent(turnId, 'attempt_failed');
    valve.pass(1);
    await ada.until((frame) => frame.type === 'delta' && frame.turnId === turnId && frame.attempt === 2);
    expect(late.deltas.map(({ text }) => text).join('')).toMatch(/^old /);
    for (const delta of late.deltas) publishLate(delta);
    valve.open();
    const transcript = await ada.untilEnd(turnId);
    for (const delta of late.deltas) publishLate(delta);
    // Frames of one socket keep their order: what the late text caused would come before another turn's.
    const other = newTurnId();
    ada.message(other, newConversationId(), questionOf(other));
    await ada.untilEnd(other);

    expect(answerOf(transcript)).toBe(chunks.join(''));
    expect(ada.transcript(turnId).streams).toEqual(transcript.streams);
    const frames = ada.events(turnId);
    const second = frames.findIndex((frame) => frame.type === 'agent_thinking' && frame.attempt === 2);
    expect(frames.slice(second).filter((frame) => frame.type === 'delta' && frame.attempt === 1)).toEqual([]);
    const shown = transcript.streams.filter(({ state }) => state !== 'discarded');
    expect(shown.map(({ attempt, text }) => ({ attempt, text }))).toEqual([{ attempt: 2, text: chunks.join('') }]);
  });
});
