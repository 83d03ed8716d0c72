// A gateway whose worker is away takes messages all the same, says what it waits for, and the answer comes when a
// worker does.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { answerOf, terminalOf } from '../../src/protocol/transcript.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { answerTo, createReplies, questionOf } from './replies.ts';

let gateway: Stack;
let worker: Stack | null = null;
beforeAll(async () => {
  gateway = await startStack({ roles: 'gateway' });
  createReplies(gateway.upstream);
});
afterAll(async () => {
  await worker?.close();
  await gateway.close();
});

describe('without a worker', () => {
  test('a message waits for one, says so, and is answered when it comes', async () => {
    const turnId = newTurnId();
    const ada = await gateway.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    expect(await ada.untilEvent(turnId, 'waiting')).toMatchObject({ reason: 'worker' });
    const { upstream, options } = gateway;
    worker = await startStack({ roles: 'worker', upstream, taskQueue: options.temporal.taskQueue });
    const transcript = await ada.untilEnd(turnId);
    expect(terminalOf(transcript)?.type).toBe('turn_completed');
    expect(answerOf(transcript)).toBe(answerTo(questionOf(turnId)));
    expect(transcript.waiting).toBeNull();
  });
});
