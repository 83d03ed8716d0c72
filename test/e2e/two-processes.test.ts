// Gateway and worker in processes of their own: a stop reaches the model's connection at once all the same, a dead worker
// leaves no doubt about what it showed, and one that is asked to stop ends its calls or hands them over.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { isTerminal, type AgentFailed, type AttemptFailed } from '../../src/protocol/events.ts';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { answerOf, terminalOf } from '../../src/protocol/transcript.ts';
import { answer, createValve, type Upstream, type Valve } from '../../testing/upstream/upstream.ts';
import type { ChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId } from '../stack.ts';
import { startKillableWorkers, type KillableWorkers } from './killable-workers.ts';

const chunks = ['The job ', 'is restarted ', 'by `conman rr`', ' and then watched.'];
const text = chunks.join('');

let rig: KillableWorkers;
let upstream: Upstream;
let ada: ChatClient;
beforeAll(async () => {
  rig = await startKillableWorkers('two');
  ({ upstream, ada } = rig);
  upstream.chat.always(answer(chunks));
});
afterEach(() => rig.closeWorkers());
afterAll(() => rig.close());

interface HeldTurn {
  readonly turnId: TurnId;
  readonly conversationId: ConversationId;
  readonly valve: Valve;
}
/** A turn whose model has said two pieces and waits, and whose reader has at least one of them. */
async function sayAndHold(): Promise<HeldTurn> {
  const valve = createValve();
  upstream.chat.enqueue(answer(chunks, { valve }));
  const [turnId, conversationId] = [newTurnId(), newConversationId()];
  ada.message(turnId, conversationId, 'How do I restart a job?');
  valve.pass(2);
  await ada.untilEvent(turnId, 'delta');
  return { turnId, conversationId, valve };
}
async function expectNextIsAnswered(conversationId: ConversationId): Promise<void> {
  const turnId = newTurnId();
  ada.message(turnId, conversationId, 'And now?');
  const transcript = await ada.untilEnd(turnId);
  expect(terminalOf(transcript)?.type).toBe('turn_completed');
  expect(answerOf(transcript)).toBe(text);
}
/** One end, and it is this one. */
function expectCancelled({ turnId }: HeldTurn, proof: object): void {
  const ends = ada.events(turnId).filter(isTerminal);
  expect(ends).toHaveLength(1);
  expect(ends[0]).toMatchObject({ type: 'turn_cancelled', by: 'user', ...proof });
}
/** `undefined`: it was not stopped. */
const counted = ({ turnId }: HeldTurn): number | null | undefined => {
  const end = terminalOf(ada.transcript(turnId));
  return end?.type === 'turn_cancelled' ? end.charsAfterStop : undefined;
};
const failureOf = ({ turnId }: HeldTurn): AttemptFailed | AgentFailed | undefined =>
  ada
    .transcript(turnId)
    .log.find((e): e is AttemptFailed | AgentFailed => e.type === 'attempt_failed' || e.type === 'agent_failed');

describe('a stop across processes', () => {
  test('goes over the worker’s line: the end of the connection and what came after the stop are known', async () => {
    await rig.startWorker();
    const stopped = async (): Promise<HeldTurn> => {
      const held = await sayAndHold();
      ada.send({ type: 'cancel', turnId: held.turnId });
      await ada.untilEnd(held.turnId);
      return held;
    };
    // By the heartbeat alone the call does not know when it was asked, and can count nothing: so it is until the gateway
    // has found the new worker's line.
    let held = await stopped();
    while (counted(held) === null) held = await stopped();
    const transcript = ada.transcript(held.turnId);
    expectCancelled(held, { upstreamClosedAt: expect.any(String), charsAfterStop: 0 });
    expect(answerOf(transcript)).toBe(chunks.slice(0, 2).join(''));
    await expectNextIsAnswered(held.conversationId);
  });

  test('reaches the model by the heartbeat when there is no line', async () => {
    await rig.startWorker({ CANDOR_WORKER_LINE_HOST: 'off' });
    const held = await sayAndHold();
    ada.send({ type: 'cancel', turnId: held.turnId });
    await ada.untilEnd(held.turnId);
    expectCancelled(held, { upstreamClosedAt: expect.any(String), charsAfterStop: null });
    await expectNextIsAnswered(held.conversationId);
  });

  test('of a call whose worker is dead knows nothing of its end, and withdraws what it had shown', async () => {
    // Without a line the death is noticed late enough for the stop to be there first.
    const off = { CANDOR_WORKER_LINE_HOST: 'off' };
    const first = await rig.startWorker(off);
    const held = await sayAndHold();
    await rig.startWorker(off);
    first.kill('SIGKILL');
    ada.send({ type: 'cancel', turnId: held.turnId });
    const transcript = await ada.untilEnd(held.turnId);
    expectCancelled(held, { upstreamClosedAt: null, charsAfterStop: null });
    expect(failureOf(held)).toMatchObject({ type: 'agent_failed', atLeast: true, error: { code: 'worker_lost' } });
    expect(failureOf(held)?.discardedChars).toBeGreaterThanOrEqual((chunks[0] ?? '').length);
    expect(answerOf(transcript)).toBe('');
    await expectNextIsAnswered(held.conversationId);
  });

  test('that is under way when its worker dies ends all the same', async () => {
    const first = await rig.startWorker();
    const held = await sayAndHold();
    await rig.startWorker();
    // It takes nothing any more, and nobody can know yet whether it will again.
    first.kill('SIGSTOP');
    ada.send({ type: 'cancel', turnId: held.turnId });
    await ada.until((frame) => frame.type === 'waiting' || ('turnId' in frame && frame.turnId === held.turnId));
    first.kill('SIGKILL');
    const transcript = await ada.untilEnd(held.turnId);
    expectCancelled(held, { upstreamClosedAt: null, charsAfterStop: null });
    expect(failureOf(held)).toMatchObject({ atLeast: true, error: { code: 'worker_lost' } });
    expect(answerOf(transcript)).toBe('');
    await expectNextIsAnswered(held.conversationId);
  });
});

describe('a worker that is asked to stop', () => {
  test('lets a call end that ends in time, and then goes', async () => {
    const worker = await rig.startWorker({ CANDOR_WORKER_DRAIN_SECONDS: '60' });
    const held = await sayAndHold();
    worker.kill('SIGTERM');
    await worker.until(/stopping/);
    held.valve.open();
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    await rig.startWorker();
    const transcript = await ada.untilEnd(held.turnId);
    expect(answerOf(transcript)).toBe(text);
    expect(failureOf(held)).toBeUndefined();
  });

  test('hands over what does not end in time, with every character counted', async () => {
    const worker = await rig.startWorker({ CANDOR_WORKER_DRAIN_SECONDS: '1' });
    const held = await sayAndHold();
    await rig.startWorker();
    worker.kill('SIGTERM');
    const transcript = await ada.untilEnd(held.turnId);
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(failureOf(held)).toMatchObject({
      type: 'attempt_failed',
      error: { code: 'worker_lost' },
      discardedChars: chunks.slice(0, 2).join('').length,
    });
    expect(failureOf(held)).not.toHaveProperty('atLeast');
    expect(answerOf(transcript)).toBe(text);
  });

  test('twice ends at once, and what it held is taken over as from a dead one', async () => {
    const worker = await rig.startWorker({ CANDOR_WORKER_DRAIN_SECONDS: '600' });
    const held = await sayAndHold();
    await rig.startWorker();
    worker.kill('SIGTERM');
    await worker.until(/stopping/);
    // Signals within a second are one wish: a terminal sends them twice.
    const again = setInterval(() => worker.kill('SIGTERM'), 200);
    expect(await worker.exited).toEqual({ code: 130, signal: null });
    clearInterval(again);
    const transcript = await ada.untilEnd(held.turnId);
    expect(failureOf(held)).toMatchObject({ atLeast: true, error: { code: 'worker_lost' } });
    expect(answerOf(transcript)).toBe(text);
  });
});
