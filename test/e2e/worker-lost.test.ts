// A worker is killed in the middle of an answer: the try is withdrawn in so many words, another worker answers from the
// start, and nobody is shown a character twice. The worker's line makes it quick; without it the heartbeats still do it.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import { answerOf, terminalOf, type Transcript } from '../../src/protocol/transcript.ts';
import type { AttemptFailed } from '../../src/protocol/events.ts';
import { answer, createValve, type Upstream, type Valve } from '../../testing/upstream/upstream.ts';
import type { ChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId, type Stack } from '../stack.ts';
import { startKillableWorkers, type KillableWorkers } from './killable-workers.ts';

const chunks = ['The job ', 'is restarted ', 'by `conman rr`', ' and then watched.'];

let rig: KillableWorkers;
let upstream: Upstream;
let gateway: Stack;
let ada: ChatClient;
beforeAll(async () => {
  rig = await startKillableWorkers('lost');
  ({ upstream, gateway, ada } = rig);
});
afterEach(() => rig.closeWorkers());
afterAll(() => rig.close());

/** A turn whose model has said two pieces, and its reader has at least one of them. */
async function sayAndHold(): Promise<{ turnId: TurnId; valve: Valve }> {
  const valve = createValve();
  upstream.chat.enqueue(answer(chunks, { valve }));
  const turnId = newTurnId();
  ada.message(turnId, newConversationId(), 'How do I restart a job?');
  valve.pass(2);
  await ada.untilEvent(turnId, 'delta');
  return { turnId, valve };
}

/** How the engine learned of the first call's end. */
async function endOfFirstCall(turnId: TurnId): Promise<'failed' | 'timedOut' | 'other'> {
  const { events } = await gateway.client.workflow.getHandle(turnWorkflowId(turnId)).fetchHistory();
  const scheduled = events?.find((e) => e.activityTaskScheduledEventAttributes?.activityType?.name === 'stream');
  const isOfIt = (id: unknown): boolean => String(id) === String(scheduled?.eventId);
  if (events?.some((e) => isOfIt(e.activityTaskFailedEventAttributes?.scheduledEventId)) === true) return 'failed';
  if (events?.some((e) => isOfIt(e.activityTaskTimedOutEventAttributes?.scheduledEventId)) === true) return 'timedOut';
  return 'other';
}

function expectSecondAnswer(turnId: TurnId, transcript: Transcript): void {
  expect(terminalOf(transcript)).toMatchObject({
    type: 'turn_completed',
    receipt: {
      attempts: [
        { attempt: 1, outcome: 'failed', errorCode: 'worker_lost' },
        { attempt: 2, outcome: 'answered' },
      ],
    },
  });
  const failed = transcript.log.find((e): e is AttemptFailed => e.type === 'attempt_failed');
  expect(failed).toMatchObject({ attempt: 1, atLeast: true, error: { code: 'worker_lost' } });
  expect(failed?.discardedChars).toBeGreaterThanOrEqual((chunks[0] ?? '').length);
  expect(answerOf(transcript)).toBe(chunks.join(''));
  expect(transcript.streams.filter((s) => s.attempt === 1).map((s) => [s.text, s.state])).toEqual([['', 'discarded']]);
  const second = ada.events(turnId).flatMap((e) => (e.type === 'delta' && e.attempt === 2 ? [e] : []));
  // Deltas that overlap would show characters twice to a reader that only appends.
  second.reduce((end, delta) => (expect(delta.offset).toBe(end), end + delta.text.length), 0);
}

describe('a worker that is killed while it streams', () => {
  test('is replaced by one that lives, and the engine is told of the death', async () => {
    const first = await rig.startWorker();
    const { turnId } = await sayAndHold();
    await rig.startWorker();
    upstream.chat.enqueue(answer(chunks));
    first.kill('SIGKILL');
    expectSecondAnswer(turnId, await ada.untilEnd(turnId));
    expect(await endOfFirstCall(turnId)).toBe('failed');
  });

  test('is replaced by itself when it is started again at once', async () => {
    const first = await rig.startWorker();
    const { turnId } = await sayAndHold();
    upstream.chat.enqueue(answer(chunks));
    first.kill('SIGKILL');
    await rig.startWorker();
    expectSecondAnswer(turnId, await ada.untilEnd(turnId));
  });

  test('is noticed by its heartbeats when it has no line', async () => {
    const withoutLine = { CANDOR_WORKER_LINE_HOST: 'off' };
    const first = await rig.startWorker(withoutLine);
    const { turnId } = await sayAndHold();
    await rig.startWorker(withoutLine);
    upstream.chat.enqueue(answer(chunks));
    first.kill('SIGKILL');
    expectSecondAnswer(turnId, await ada.untilEnd(turnId));
    expect(await endOfFirstCall(turnId)).toBe('timedOut');
  });

  test('C5: is not what a slow first token is taken for', async () => {
    await rig.startWorker();
    const valve = createValve();
    upstream.chat.enqueue(answer(chunks, { valve }));
    const turnId = newTurnId();
    const answered = (): number => upstream.calls.filter((call) => !call.isJson).length;
    const before = answered();
    ada.message(turnId, newConversationId(), 'How do I restart a job?');
    // Longer than the engine waits for a heartbeat: what is told after ten seconds of silence is the model.
    expect(await ada.untilEvent(turnId, 'waiting')).toMatchObject({ reason: 'model' });
    valve.open();
    const transcript = await ada.untilEnd(turnId);
    expect(answerOf(transcript)).toBe(chunks.join(''));
    expect(transcript.log.filter((e) => e.type === 'attempt_failed')).toEqual([]);
    expect(answered()).toBe(before + 1);
  });
});
