// One message is one turn, however often it is sent, from wherever, and whatever Temporal still remembers of it; and an
// id that is taken belongs to its first message only.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { CandorError } from '../../src/protocol/errors.ts';
import { turnWorkflowId, type ConversationId, type TurnId } from '../../src/protocol/ids.ts';
import { answerOf } from '../../src/protocol/transcript.ts';
import type { ChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack, type StackOptions } from '../stack.ts';
import { refuse } from '../../testing/upstream/upstream.ts';
import { answerTo, createReplies, questionOf, type Replies } from './replies.ts';

let stack: Stack;
let replies: Replies;
let ada: ChatClient;
let others: Stack[] = [];
beforeAll(async () => {
  stack = await startStack();
  replies = createReplies(stack.upstream);
  ada = await stack.connect();
});
afterEach(async () => {
  for (const other of others) await other.close();
  others = [];
});
afterAll(() => stack.close());

/** A gateway that has seen nothing yet. */
async function anotherGateway(faults: Pick<StackOptions, 'decorate'> = {}): Promise<Stack> {
  const { upstream, options } = stack;
  const other = await startStack({ roles: 'gateway', upstream, taskQueue: options.temporal.taskQueue, ...faults });
  others.push(other);
  return other;
}

async function complete(conversationId: ConversationId): Promise<TurnId> {
  const turnId = newTurnId();
  ada.message(turnId, conversationId, questionOf(turnId));
  await ada.untilEnd(turnId);
  return turnId;
}

/** As retention does it: Temporal knows nothing of the turn any more. */
async function forget(turnId: TurnId): Promise<void> {
  const handle = stack.client.workflow.getHandle(turnWorkflowId(turnId));
  await stack.client.workflowService.deleteWorkflowExecution({
    namespace: stack.client.options.namespace,
    workflowExecution: { workflowId: handle.workflowId },
  });
  while (await isKnown(turnId)) await delay(20);
}

async function isKnown(turnId: TurnId): Promise<boolean> {
  try {
    await stack.client.workflow.getHandle(turnWorkflowId(turnId)).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

const post = (conversationId: ConversationId, turnId: TurnId, text: string, user?: string, to = stack) =>
  to.fetch(`/api/conversations/${conversationId}/turns`, {
    method: 'POST',
    body: JSON.stringify({ turnId, text }),
    ...(user === undefined ? {} : { user }),
  });

const somethingElse = 'Something else?';

async function expectConflict(gateway: Stack, turnId: TurnId, conversationId: ConversationId): Promise<void> {
  const response = await post(conversationId, turnId, somethingElse, undefined, gateway);
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({ code: 'turn_conflict' });
  const socket = await gateway.connect();
  socket.message(turnId, conversationId, somethingElse);
  expect((await socket.untilError(turnId)).error.code).toBe('turn_conflict');
  expect(socket.events(turnId)).toEqual([]);
}

async function expectNotThere(gateway: Stack, turnId: TurnId, conversationId: ConversationId): Promise<void> {
  const response = await post(conversationId, turnId, questionOf(turnId), 'eve', gateway);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: 'turn_not_found' });
  const eve = await gateway.connect({ user: 'eve' });
  eve.message(turnId, newConversationId(), questionOf(turnId));
  expect((await eve.untilError(turnId)).error.code).toBe('turn_not_found');
  expect(eve.events(turnId)).toEqual([]);
}

describe('the same message', () => {
  test('sent twice while it runs is one turn and one call', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    const valve = replies.held(questionOf(turnId), ['one ', 'answer']);
    valve.pass(1);
    ada.message(turnId, conversationId, questionOf(turnId));
    await ada.untilEvent(turnId, 'delta');
    const other = await stack.connect();
    other.message(turnId, conversationId, questionOf(turnId));
    await other.untilEvent(turnId, 'delta');
    valve.open();
    const [here, there] = [await ada.untilEnd(turnId), await other.untilEnd(turnId)];
    expect(there.log).toEqual(here.log);
    expect(answerOf(there)).toBe('one answer');
    expect(replies.calls(questionOf(turnId))).toHaveLength(1);
  });

  test('sent at once from two sockets and over REST is one turn and one call', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    const other = await stack.connect();
    ada.message(turnId, conversationId, questionOf(turnId));
    other.message(turnId, conversationId, questionOf(turnId));
    const response = await post(conversationId, turnId, questionOf(turnId));
    expect(response.status).toBe(202);
    const [here, there] = [await ada.untilEnd(turnId), await other.untilEnd(turnId)];
    expect(there.log).toEqual(here.log);
    expect(replies.calls(questionOf(turnId))).toHaveLength(1);
    const view = (await (await stack.fetch(`/api/conversations/${conversationId}`)).json()) as { turns: unknown[] };
    expect(view.turns).toHaveLength(1);
  });

  test('sent at once through two gateways is one turn and one call', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    const far = await (await anotherGateway()).connect();
    ada.message(turnId, conversationId, questionOf(turnId));
    far.message(turnId, conversationId, questionOf(turnId));
    const [here, there] = [await ada.untilEnd(turnId), await far.untilEnd(turnId)];
    expect(there.log).toEqual(here.log);
    expect(answerOf(there)).toBe(answerTo(questionOf(turnId)));
    expect(replies.calls(questionOf(turnId))).toHaveLength(1);
  });

  test('sent again after the end is answered with that end', async () => {
    const conversationId = newConversationId();
    const turnId = await complete(conversationId);
    for (const gateway of [stack, await anotherGateway()]) {
      const socket = await gateway.connect();
      socket.message(turnId, conversationId, questionOf(turnId));
      expect((await socket.untilEnd(turnId)).log).toEqual(ada.transcript(turnId).log);
    }
    expect(replies.calls(questionOf(turnId))).toHaveLength(1);
  });
});

describe('an id that is taken', () => {
  test('does not take other content, while its turn runs and after it', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    const valve = replies.held(questionOf(turnId), ['the only ', 'answer']);
    ada.message(turnId, conversationId, questionOf(turnId));
    await ada.untilEvent(turnId, 'agent_thinking');
    await expectConflict(stack, turnId, conversationId);
    valve.open();
    await ada.untilEnd(turnId);
    await expectConflict(stack, turnId, conversationId);
    await expectConflict(await anotherGateway(), turnId, conversationId);
    expect(replies.calls(somethingElse)).toHaveLength(0);
    expect(await (await stack.fetch(`/api/turns/${turnId}`)).json()).toMatchObject({ answer: 'the only answer' });
  });

  test('is not a turn of a second conversation', async () => {
    const turnId = await complete(newConversationId());
    const second = newConversationId();
    ada.message(turnId, second, questionOf(turnId));
    expect((await ada.untilError(turnId)).error.code).toBe('turn_conflict');
    expect((await stack.fetch(`/api/conversations/${second}`)).status).toBe(404);
  });

  test('sent at once with two contents is the turn of one of them', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    const statuses = await Promise.all(
      ['This?', 'That?'].map(async (text) => (await post(conversationId, turnId, text)).status),
    );
    expect(statuses.sort()).toEqual([202, 409]);
    ada.send({ type: 'resume', turnId });
    await ada.untilEnd(turnId);
    expect(replies.calls('This?').length + replies.calls('That?').length).toBe(1);
  });

  test('is not there for another user, while its turn runs and after it', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    const valve = replies.held(questionOf(turnId), ['for ', 'Ada']);
    ada.message(turnId, conversationId, questionOf(turnId));
    await ada.untilEvent(turnId, 'agent_thinking');
    await expectNotThere(stack, turnId, conversationId);
    valve.open();
    await ada.untilEnd(turnId);
    await expectNotThere(stack, turnId, conversationId);
    await expectNotThere(await anotherGateway(), turnId, conversationId);
    expect(replies.calls(questionOf(turnId))).toHaveLength(1);
  });
});

describe('a turn that only the graph remembers', () => {
  const conversationId = newConversationId();
  const [failed, cancelled] = [newTurnId(), newTurnId()];
  let completed: TurnId;

  beforeAll(async () => {
    completed = await complete(conversationId);
    replies.to(questionOf(failed), refuse(401));
    ada.message(failed, conversationId, questionOf(failed));
    await ada.untilEnd(failed);
    replies.held(questionOf(cancelled), ['a half', ' and more']).pass(1);
    ada.message(cancelled, conversationId, questionOf(cancelled));
    await ada.untilEvent(cancelled, 'delta');
    ada.send({ type: 'cancel', turnId: cancelled });
    await ada.untilEnd(cancelled);
    await Promise.all([completed, failed, cancelled].map(forget));
    // Temporal takes half a minute to delete an execution.
  }, 150_000);

  test.each([
    { what: 'completed', turn: () => completed, text: () => answerTo(questionOf(completed)) },
    { what: 'failed', turn: () => failed, text: () => '' },
    { what: 'cancelled', turn: () => cancelled, text: () => 'a half' },
  ])('and was $what answers its message, sent again, with its own events and text, without a call', async (row) => {
    const turnId = row.turn();
    const before = ada.transcript(turnId);
    for (const gateway of [stack, await anotherGateway()]) {
      const socket = await gateway.connect();
      socket.message(turnId, conversationId, questionOf(turnId));
      const again = await socket.untilEnd(turnId);
      expect(again.log).toEqual(before.log);
      expect(answerOf(again)).toBe(row.text());
      const resumed = await gateway.connect();
      resumed.send({ type: 'resume', turnId });
      expect(await resumed.untilEnd(turnId)).toEqual(again);
    }
    expect(await isKnown(turnId)).toBe(false);
    expect(replies.calls(questionOf(turnId))).toHaveLength(1);
  });

  test('takes no other content', async () => {
    for (const gateway of [stack, await anotherGateway()]) await expectConflict(gateway, completed, conversationId);
    expect(await isKnown(completed)).toBe(false);
    expect(replies.calls(somethingElse)).toHaveLength(0);
  });

  test('is not there for another user, and stays its owner’s', async () => {
    for (const gateway of [stack, await anotherGateway()]) {
      await expectNotThere(gateway, completed, conversationId);
      const again = await gateway.connect();
      again.send({ type: 'resume', turnId: completed });
      expect((await again.untilEnd(completed)).log).toEqual(ada.transcript(completed).log);
    }
    expect(await isKnown(completed)).toBe(false);
  });

  test('is found by the first step of its workflow, where the gateway could not ask the graph', async () => {
    let asked = 0;
    const decorate: StackOptions['decorate'] = {
      graph: (graph) => ({
        ...graph,
        async turn(turnId) {
          asked += 1;
          if (asked === 1) throw new CandorError('graph_unavailable');
          return graph.turn(turnId);
        },
      }),
    };
    const far = await (await anotherGateway({ decorate })).connect();
    far.message(completed, conversationId, questionOf(completed));
    const again = await far.untilEnd(completed);
    expect(again.log).toEqual(ada.transcript(completed).log);
    expect(answerOf(again)).toBe(answerTo(questionOf(completed)));
    expect(await isKnown(completed)).toBe(true);
    expect(replies.calls(questionOf(completed))).toHaveLength(1);
  });
});
