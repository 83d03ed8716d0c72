// What workers hold, as the engine knows it, and taking it from them: also from one that lives after all, which is told
// by its next heartbeat and lets go of the model.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { turnWorkflowId } from '../../src/protocol/ids.ts';
import { answerOf, terminalOf } from '../../src/protocol/transcript.ts';
import { createOpenActivities, type OpenActivities } from '../../src/run/open-activities.ts';
import { parseIdentity } from '../../src/worker-line/line-address.ts';
import { createReplies, questionOf, type Replies } from '../e2e/replies.ts';
import type { ChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { answer, createValve } from '../../testing/upstream/upstream.ts';

let stack: Stack;
let replies: Replies;
let ada: ChatClient;
let activities: OpenActivities;
beforeAll(async () => {
  stack = await startStack();
  replies = createReplies(stack.upstream);
  ada = await stack.connect();
  activities = createOpenActivities(stack.client, stack.options.temporal.taskQueue);
});
afterAll(() => stack.close());

const chunks = ['The job ', 'is restarted ', 'by conman.'];

describe('an open activity', () => {
  test('of a worker that lives is tried again, and the first try lets go of the model', async () => {
    const turnId = newTurnId();
    const valve = createValve();
    replies.to(questionOf(turnId), answer(chunks, { valve }), answer(chunks));
    ada.message(turnId, newConversationId(), questionOf(turnId));
    valve.pass(1);
    await ada.untilEvent(turnId, 'delta');
    const workflowId = turnWorkflowId(turnId);
    const [held] = (await activities.list()).filter((activity) => activity.workflowId === workflowId);
    if (held === undefined) throw new Error('the call is not listed');
    expect(held).toMatchObject({ type: 'stream', heartbeat: { step: 1, attempt: 1 } });
    expect(parseIdentity(held.worker)).toMatchObject({ host: '127.0.0.1' });

    expect(await activities.fail(held)).toBe(true);
    expect(await activities.fail(held)).toBe(false);
    // The lane still brings text of the first try, until its heartbeat is answered.
    valve.pass(1);
    const transcript = await ada.untilEnd(turnId);
    expect(transcript.log.find((e) => e.type === 'attempt_failed')).toMatchObject({
      attempt: 1,
      atLeast: true,
      error: { code: 'worker_lost' },
    });
    expect(terminalOf(transcript)?.type).toBe('turn_completed');
    expect(answerOf(transcript)).toBe(chunks.join(''));
    expect(transcript.streams.filter((s) => s.attempt === 1).map((s) => s.text)).toEqual(['']);
    const [first] = replies.calls(questionOf(turnId));
    expect((await stack.upstream.call(first?.n ?? 0).closed).closedAt).not.toBeNull();
  });

  test('is listed no more when its turn has ended', async () => {
    const turnId = newTurnId();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    await ada.untilEnd(turnId);
    expect((await activities.list()).filter((a) => a.workflowId === turnWorkflowId(turnId))).toEqual([]);
  });
});
