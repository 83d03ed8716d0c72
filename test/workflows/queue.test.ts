// Turns of one conversation wait for each other by signals. Whoever never answers, ends, or is withdrawn: the waiter
// learns of it, and goes on.

import { describe, expect, test } from '@jest/globals';
import type { RetrieveAgentInput, RetrieveAgentResult } from '../../src/protocol/activities.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import { maxQueueWaitMs } from '../../src/protocol/limits.ts';
import { signals, type CancelSignal, type TurnResult } from '../../src/protocol/turn.ts';
import { failureOf, gaps, logOf, moments, toMs, typesOf } from './history.ts';
import { answered, createGate, newTurn, ready, streamUntilStopped } from '../../testing/turns/turn-fakes.ts';
import { type TurnUnderTest, useWorkflowRig } from './turn-under-test.ts';

const rig = useWorkflowRig();

const requestedAt = '2026-01-02T03:04:05.000Z';
const byUser: CancelSignal = { by: 'user', requestedAt };

/** A graph that says «busy» until one of these turns is named as released. */
const busyUntil =
  (behind: TurnId, ...freeAfter: TurnId[]) =>
  async ({ released }: RetrieveAgentInput): Promise<RetrieveAgentResult> =>
    released !== null && [behind, ...freeAfter].includes(released) ? ready() : { kind: 'busy', behind, linked: true };

const retrieved = (turn: TurnUnderTest) =>
  turn.callsOf('retrieveAgent').map(({ input }) => {
    const { released, releasedIsGone } = input as RetrieveAgentInput;
    return { released, releasedIsGone };
  });
const queuedBehind = ({ log }: TurnResult): TurnId[] =>
  log.flatMap((event) => (event.type === 'turn_queued' ? [event.behind] : []));
const signalsSent = async ({ handle }: TurnUnderTest) =>
  (await moments(handle, 'signalExternalWorkflowExecutionInitiatedEventAttributes')).map(({ atMs, attributes }) => ({
    atMs,
    name: attributes.signalName,
    to: attributes.workflowExecution?.workflowId,
  }));

describe('a turn in a busy conversation', () => {
  test('asks the turn before it again and again, after 1 s to 60 s, and goes when nobody is there any more', async () => {
    const sleeping = await rig.startSleeping();
    const turn = await rig.start({ retrieveAgent: busyUntil(sleeping.input.turnId) });
    await turn.until('turn_queued');
    await rig.env.sleep('5 minutes');
    await sleeping.handle.terminate();
    const result = (await turn.handle.result()) as TurnResult;

    expect(result.outcome).toBe('completed');
    expect(queuedBehind(result)).toEqual([sleeping.input.turnId]);
    expect(retrieved(turn)).toEqual([
      { released: null, releasedIsGone: false },
      { released: sleeping.input.turnId, releasedIsGone: true },
    ]);
    const asked = await signalsSent(turn);
    expect(new Set(asked.map(({ name, to }) => `${name} ${to}`))).toEqual(
      new Set([`follow turn/${sleeping.input.turnId}`]),
    );
    const timers = await moments(turn.handle, 'timerStartedEventAttributes');
    const secondsSet = timers.map(({ attributes }) => toMs(attributes.startToFireTimeout) / 1_000);
    expect(secondsSet.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    gaps(asked).forEach((gapMs, index) => {
      expect(gapMs).toBeGreaterThanOrEqual((secondsSet[index] ?? NaN) * 1_000);
    });
  });

  test('goes at once when the turn before it has no open workflow', async () => {
    const { turnId: gone } = newTurn();
    const turn = await rig.start({ retrieveAgent: busyUntil(gone) });
    const result = (await turn.handle.result()) as TurnResult;
    expect(typesOf(result.log).slice(0, 3)).toEqual(['turn_accepted', 'turn_queued', 'agent_started']);
    expect(retrieved(turn).at(-1)).toEqual({ released: gone, releasedIsGone: true });
    expect(await moments(turn.handle, 'timerStartedEventAttributes')).toEqual([]);
  });

  test('is released by the turn before it when that has ended, as it ended', async () => {
    const gate = createGate();
    const first = await rig.start({
      stream: async () => {
        await gate.pass();
        return answered();
      },
    });
    await gate.reached;
    const second = await rig.start({ retrieveAgent: busyUntil(first.input.turnId) });
    await second.until('turn_queued');
    gate.open();
    await first.handle.result();
    const result = (await second.handle.result()) as TurnResult;
    expect(result.outcome).toBe('completed');
    expect(retrieved(second).at(-1)).toEqual({ released: first.input.turnId, releasedIsGone: false });
  });

  test('fails when it waited for a day: its code says that no model was asked', async () => {
    const sleeping = await rig.startSleeping();
    const turn = await rig.start({ retrieveAgent: busyUntil(sleeping.input.turnId) });
    const failure = await failureOf(turn.handle);
    await sleeping.handle.terminate();
    expect(failure.type).toBe('turn_timeout');
    const log = logOf(failure);
    expect(typesOf(log)).toEqual(['turn_accepted', 'turn_queued', 'agent_failed', 'turn_failed']);
    const waitedMs = Date.parse(log.at(-1)?.time ?? '') - Date.parse(log[0]?.time ?? '');
    expect(waitedMs).toBeGreaterThanOrEqual(maxQueueWaitMs);
    expect(turn.callsOf('stream')).toHaveLength(0);
    expect(turn.callsOf('storeConversation')).toHaveLength(1);
  }, 240_000);
});

describe('a turn that is withdrawn while it waits', () => {
  test('ends as withdrawn, is recorded, and tells its own follower whom to wait for', async () => {
    const running = streamUntilStopped();
    const first = await rig.start({ stream: running.stream });
    const firstId = first.input.turnId;
    await running.begun;
    const second = await rig.start({ retrieveAgent: busyUntil(firstId) });
    const secondId = second.input.turnId;
    await second.until('turn_queued');
    const third = await rig.start({ retrieveAgent: busyUntil(secondId, firstId) });
    await third.until('turn_queued');

    await second.handle.signal(signals.withdraw, { by: 'withdrawn', requestedAt });
    const withdrawn = (await second.handle.result()) as TurnResult;
    expect(withdrawn.outcome).toBe('cancelled');
    expect(withdrawn.log.at(-1)).toMatchObject({ type: 'turn_cancelled', by: 'withdrawn', requestedAt });
    expect(second.callsOf('stream')).toHaveLength(0);
    expect(second.callsOf('storeConversation')).toHaveLength(1);

    await first.handle.signal(signals.cancel, byUser);
    await first.handle.result();
    const result = (await third.handle.result()) as TurnResult;
    expect(result.outcome).toBe('completed');
    expect(queuedBehind(result)).toEqual([secondId, firstId]);
    expect(retrieved(third).at(-1)).toEqual({ released: firstId, releasedIsGone: false });
  });

  test('is withdrawn only while it waits: a running one takes no notice', async () => {
    const gate = createGate();
    const turn = await rig.start({
      stream: async () => {
        await gate.pass();
        return answered();
      },
    });
    await gate.reached;
    await turn.handle.signal(signals.withdraw, { by: 'withdrawn', requestedAt });
    gate.open();
    expect(((await turn.handle.result()) as TurnResult).outcome).toBe('completed');
  });

  test('is withdrawn no more when its wait is over', async () => {
    const { turnId: gone } = newTurn();
    const gate = createGate();
    const turn = await rig.start({
      retrieveAgent: busyUntil(gone),
      stream: async () => {
        await gate.pass();
        return answered();
      },
    });
    await gate.reached;
    await turn.handle.signal(signals.withdraw, { by: 'withdrawn', requestedAt });
    gate.open();
    expect(((await turn.handle.result()) as TurnResult).outcome).toBe('completed');
  });
});

describe('a turn that interrupts', () => {
  test('cancels the queued turn before it, learns whom that waited for, and stops that one too', async () => {
    const running = streamUntilStopped();
    const first = await rig.start({ stream: running.stream });
    const firstId = first.input.turnId;
    await running.begun;
    const second = await rig.start({ retrieveAgent: busyUntil(firstId) });
    const secondId = second.input.turnId;
    await second.until('turn_queued');
    const third = await rig.start({ retrieveAgent: busyUntil(secondId, firstId) }, { busy: 'interrupt' });

    const [stopped, cancelled, result] = await Promise.all([first.end(), second.end(), third.end()]);
    expect(cancelled.log.at(-1)).toMatchObject({ type: 'turn_cancelled', by: 'interrupt' });
    expect(second.callsOf('stream')).toHaveLength(0);
    expect(stopped.log.at(-1)).toMatchObject({
      type: 'turn_cancelled',
      by: 'interrupt',
      receipt: { incomplete: true },
    });
    expect(typesOf(stopped.log)).toContain('conversation_stored');
    expect(result.outcome).toBe('completed');
    expect(queuedBehind(result)).toEqual([secondId, firstId]);
    const sent = (await signalsSent(third)).map(({ name, to }) => `${name} ${to}`);
    expect([...new Set(sent)]).toEqual([
      `interrupt turn/${secondId}`,
      `follow turn/${secondId}`,
      `interrupt turn/${firstId}`,
      `follow turn/${firstId}`,
    ]);
  });

  test('comes too late for a turn that is being stored: it completes, and the interrupter waits for it', async () => {
    const gate = createGate();
    const first = await rig.start({
      storeConversation: async () => {
        await gate.pass();
        return { storedAt: requestedAt };
      },
    });
    await gate.reached;
    const second = await rig.start({ retrieveAgent: busyUntil(first.input.turnId) }, { busy: 'interrupt' });
    await second.until('turn_queued');
    gate.open();
    expect((await first.end()).outcome).toBe('completed');
    expect((await second.end()).outcome).toBe('completed');
  });
});

describe('a turn that does not want to wait', () => {
  test('fails with conversation_busy and leaves nothing behind', async () => {
    const sleeping = await rig.startSleeping();
    const turn = await rig.start({ retrieveAgent: busyUntil(sleeping.input.turnId) }, { busy: 'reject' });
    const failure = await failureOf(turn.handle);
    await sleeping.handle.terminate();
    expect(failure.type).toBe('conversation_busy');
    expect(typesOf(logOf(failure))).toEqual(['turn_accepted', 'agent_failed', 'turn_failed']);
    expect(turn.calls.map(({ name }) => name)).toEqual(['retrieveAgent', 'signReceipt']);
  });

  test('goes on when the graph only believes that the conversation is busy', async () => {
    const { turnId: gone } = newTurn();
    const turn = await rig.start({ retrieveAgent: busyUntil(gone) }, { busy: 'reject' });
    const result = (await turn.handle.result()) as TurnResult;
    expect(result.outcome).toBe('completed');
    expect(queuedBehind(result)).toEqual([]);
    expect(retrieved(turn).at(-1)).toEqual({ released: gone, releasedIsGone: true });
  });
});
