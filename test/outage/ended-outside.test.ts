// A turn whose workflow was ended from outside ends all the same: once, with the reason told apart, with its text
// withdrawn, and with the same events for everybody who looks, now and when only the graph is left.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTemporalEngine } from '../../src/api/temporal-engine.ts';
import { createTurnFeeds } from '../../src/api/turn-feeds.ts';
import { createTurnSweep } from '../../src/api/turn-sweep.ts';
import { createGraph, type Graph } from '../../src/graph/neo4j.ts';
import { createMemoryLane } from '../../src/live/memory.ts';
import { CandorError } from '../../src/protocol/errors.ts';
import { isTerminal } from '../../src/protocol/events.ts';
import { turnWorkflowId, type AgentId, type TurnId, type UserId } from '../../src/protocol/ids.ts';
import type { OpenTurnMark } from '../../src/protocol/ports.ts';
import { answerOf, stateOf, terminalOf, type Transcript } from '../../src/protocol/transcript.ts';
import { chatTurnType, toLogged, type TurnInput, type TurnMemo } from '../../src/protocol/turn.ts';
import { createLog } from '../../src/run/log.ts';
import { refuse } from '../../testing/upstream/upstream.ts';
import { answerTo, createReplies, questionOf, type Replies } from '../e2e/replies.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';

/** Records of these turns are refused once: the graph was away just then. */
const unrecorded = new Set<TurnId>();
let stack: Stack;
let elsewhere: Stack;
let graph: Graph;
let replies: Replies;
beforeAll(async () => {
  stack = await startStack({
    decorate: {
      graph: (inner) => ({
        ...inner,
        async storeTurn(input) {
          if (unrecorded.delete(input.turnId)) throw new CandorError('internal', { facts: { reason: 'a test' } });
          return inner.storeTurn(input);
        },
      }),
    },
  });
  const { upstream, options } = stack;
  elsewhere = await startStack({ roles: 'gateway', upstream, taskQueue: options.temporal.taskQueue });
  graph = createGraph(options.neo4j);
  replies = createReplies(upstream);
});
afterAll(async () => {
  await graph.close();
  await elsewhere.close();
  await stack.close();
});

const handleOf = (turnId: TurnId) => stack.client.workflow.getHandle(turnWorkflowId(turnId));
const remove = (turnId: TurnId) =>
  stack.client.workflowService.deleteWorkflowExecution({
    namespace: stack.options.temporal.namespace,
    workflowExecution: { workflowId: turnWorkflowId(turnId) },
  });
/** Resolves when Temporal knows nothing of the turn any more. */
async function untilForgotten(turnId: TurnId): Promise<void> {
  for (;;) {
    const known = await handleOf(turnId)
      .describe()
      .then(
        () => true,
        () => false,
      );
    if (!known) return;
  }
}

/** A turn in the middle of its answer. */
async function startHeld(socketOf = stack) {
  const turnId = newTurnId();
  const conversationId = newConversationId();
  const valve = replies.held(questionOf(turnId), ['shown ', 'never']);
  valve.pass(1);
  const ada = await socketOf.connect();
  ada.message(turnId, conversationId, questionOf(turnId));
  await ada.untilEvent(turnId, 'delta');
  return { turnId, conversationId, ada, valve };
}

async function resumeAt(gateway: Stack, turnId: TurnId): Promise<Transcript> {
  const socket = await gateway.connect();
  socket.send({ type: 'resume', turnId });
  return socket.untilEnd(turnId);
}

const viewOf = async (gateway: Stack, turnId: TurnId): Promise<unknown> =>
  (await gateway.fetch(`/api/turns/${turnId}`)).json();

const shownTexts = (transcript: Transcript): string[] =>
  transcript.streams.filter((s) => s.state !== 'discarded' && s.text !== '').map((s) => s.text);

const reasonOf = (transcript: Transcript): string => {
  const terminal = terminalOf(transcript);
  return terminal?.type === 'turn_failed' ? terminal.error.message : '';
};

/** Everybody is told the same: the reader of that time, another gateway, and who reads only the graph. */
async function expectOneEnd(transcript: Transcript): Promise<void> {
  const turnId = transcript.turnId as TurnId;
  expect(stateOf(transcript)).toBe('failed');
  expect(answerOf(transcript)).toBe('');
  expect(shownTexts(transcript)).toEqual([]);
  expect((await resumeAt(stack, turnId)).log).toEqual(transcript.log);
  expect((await resumeAt(elsewhere, turnId)).log).toEqual(transcript.log);
  expect(await viewOf(elsewhere, turnId)).toMatchObject({ state: 'failed', answer: null, error: { code: 'internal' } });
  expect((await graph.turn(turnId))?.result?.log).toEqual(transcript.log.map(toLogged));
}

describe('a turn that is followed', () => {
  test('and terminated in Temporal withdraws its text and fails at the time of its end; the next message works', async () => {
    const { turnId, conversationId, ada, valve } = await startHeld();
    await handleOf(turnId).terminate('a test');
    const transcript = await ada.untilEnd(turnId);
    const { closeTime } = await handleOf(turnId).describe();
    expect(transcript.log.slice(-2)).toMatchObject([
      { type: 'agent_failed', step: 1, attempt: 1, discardedChars: 6, atLeast: true },
      { type: 'turn_failed', time: closeTime?.toISOString(), receipt: null, error: { code: 'internal' } },
    ]);
    expect(reasonOf(transcript)).toContain('terminated');
    expect(ada.events(turnId).filter(isTerminal)).toHaveLength(1);
    await expectOneEnd(transcript);
    valve.open();
    const next = newTurnId();
    ada.message(next, conversationId, questionOf(next));
    expect(answerOf(await ada.untilEnd(next))).toBe(answerTo(questionOf(next)));
    // The late reply of the terminated turn has changed nothing.
    expect((await graph.turn(turnId))?.result?.log).toEqual(transcript.log.map(toLogged));
  });

  test('and deleted in Temporal fails, and stays failed when only the graph is left', async () => {
    const { turnId, ada, valve } = await startHeld();
    await remove(turnId);
    const transcript = await ada.untilEnd(turnId);
    await untilForgotten(turnId);
    await expectOneEnd(transcript);
    valve.open();
  });
});

describe('a turn that nobody follows', () => {
  /** Started past the gateway, so that no feed knows of it. */
  async function startUnseen(options: { readonly workflowRunTimeout?: string } = {}): Promise<TurnInput> {
    const turnId = newTurnId();
    const contentSha256 = randomUUID().replaceAll('-', '').repeat(2);
    const input: TurnInput = {
      ...{ turnId, conversationId: newConversationId(), text: questionOf(turnId), contentSha256 },
      ...{ userId: 'ada' as UserId, agentId: 'operator' as AgentId },
      ...{ parentTurnId: null, regenerateOf: null, attachments: [], busy: 'enqueue', tier: 'free' },
    };
    const { conversationId, userId, agentId } = input;
    const memo: TurnMemo = { conversationId, userId, agentId, contentSha256 };
    replies.held(input.text, ['never']);
    await stack.client.workflow.start(chatTurnType, {
      workflowId: turnWorkflowId(turnId),
      taskQueue: stack.options.temporal.taskQueue,
      args: [input],
      memo: { ...memo },
      ...(options.workflowRunTimeout === undefined ? {} : { workflowRunTimeout: '2s' }),
    });
    await replies.call(input.text);
    return input;
  }

  const sweepMine = (...mine: readonly TurnId[]): Promise<readonly TurnId[]> => sweepAs(true, ...mine);
  const sweepAs = async (isOwn: boolean, ...mine: readonly TurnId[]): Promise<readonly TurnId[]> => {
    const own: Graph = {
      ...graph,
      isEngineOfTurns: async () => isOwn,
      openTurns: async (before, limit, after) => {
        const found: readonly OpenTurnMark[] = await graph.openTurns(before, limit, after);
        return found.filter(({ turnId }) => mine.includes(turnId));
      },
    };
    const engine = createTemporalEngine({ client: stack.client, taskQueue: 'none', uiUrl: null, eagerStart: false });
    const dependencies = {
      engine,
      graph: own,
      lane: createMemoryLane(),
      metrics: { gapFilled: () => undefined },
      log: createLog('fatal', null),
    };
    const feeds = createTurnFeeds(dependencies);
    const limits = { everyMs: 60_000, minAgeMs: -60_000, pageSize: 10_000, maxTurns: 10_000 };
    const sweep = createTurnSweep({ ...dependencies, feeds }, limits);
    try {
      return await sweep.sweep();
    } finally {
      sweep.close();
      feeds.close();
      await dependencies.lane.close();
    }
  };

  test('and runs out of time in Temporal says so to whoever asks', async () => {
    const { turnId } = await startUnseen({ workflowRunTimeout: '2s' });
    await handleOf(turnId)
      .result()
      .catch(() => undefined);
    const transcript = await resumeAt(elsewhere, turnId);
    expect(reasonOf(transcript)).toContain('ran out of time');
    await expectOneEnd(transcript);
  });

  test('and is forgotten by Temporal says so to whoever asks', async () => {
    const { turnId } = await startUnseen();
    await remove(turnId);
    await untilForgotten(turnId);
    const transcript = await resumeAt(elsewhere, turnId);
    expect(reasonOf(transcript)).toContain('gone from Temporal');
    await expectOneEnd(transcript);
  });

  test('is ended in the graph by a sweep, also by several at once; an open one is left alone', async () => {
    const [terminated, deleted, open] = [await startUnseen(), await startUnseen(), await startUnseen()];
    const ids = [terminated.turnId, deleted.turnId, open.turnId];
    await handleOf(terminated.turnId).terminate('a test');
    await remove(deleted.turnId);
    await untilForgotten(deleted.turnId);
    await Promise.all([sweepMine(...ids), sweepMine(...ids), sweepMine(...ids)]);
    expect((await graph.turn(terminated.turnId))?.result?.log.map(({ type }) => type)).toEqual([
      ...['turn_accepted', 'agent_started', 'agent_thinking', 'agent_failed', 'turn_failed'],
    ]);
    expect((await graph.turn(deleted.turnId))?.result?.log.map(({ type }) => type)).toEqual([
      ...['turn_accepted', 'agent_failed', 'turn_failed'],
    ]);
    expect((await graph.turn(open.turnId))?.result).toBeNull();
    for (const turnId of [terminated.turnId, deleted.turnId]) await expectOneEnd(await resumeAt(stack, turnId));
    expect(await sweepMine(...ids)).toEqual([]);
    await handleOf(open.turnId).terminate('the test is over');
  });

  test('is left alone by the gateway of another Temporal that does not know it', async () => {
    const { turnId } = await startUnseen();
    await remove(turnId);
    await untilForgotten(turnId);
    expect(await sweepAs(false, turnId)).toEqual([]);
    expect((await graph.turn(turnId))?.result).toBeNull();
    expect(await sweepMine(turnId)).toEqual([turnId]);
  });

  test('and ended by itself while the graph was away gets its own end there, in place of the mark of a later turn', async () => {
    const [turnId, next, conversationId] = [newTurnId(), newTurnId(), newConversationId()];
    replies.to(questionOf(turnId), refuse(401));
    unrecorded.add(turnId);
    const ada = await stack.connect();
    ada.message(turnId, conversationId, questionOf(turnId));
    const transcript = await ada.untilEnd(turnId);
    expect(terminalOf(transcript)).toMatchObject({ type: 'turn_failed', error: { code: 'llm_auth' } });
    expect((await graph.turn(turnId))?.result).toBeNull();
    // Temporal has it meanwhile.
    expect((await resumeAt(elsewhere, turnId)).log).toEqual(transcript.log);
    expect(await viewOf(elsewhere, turnId)).toMatchObject({ state: 'failed', error: { code: 'llm_auth' } });
    ada.message(next, conversationId, questionOf(next));
    expect(answerOf(await ada.untilEnd(next))).toBe(answerTo(questionOf(next)));
    expect((await graph.turn(turnId))?.result?.log.at(-1)).toMatchObject({ error: { code: 'internal' } });
    expect(await sweepMine(turnId)).toEqual([turnId]);
    expect((await graph.turn(turnId))?.result?.log).toEqual(transcript.log.map(toLogged));
    expect(await sweepMine(turnId)).toEqual([]);
  });
});
