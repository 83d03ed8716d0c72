// Neo4j is killed before a turn and behind its answer, and comes back on its data. An answer that was shown waits to be
// stored and is stored once; a message that comes meanwhile waits too; both say what for.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RunningNeo4j } from '../../src/parts/index.ts';
import { isTerminal } from '../../src/protocol/events.ts';
import { answerOf, stateOf, terminalOf } from '../../src/protocol/transcript.ts';
import { answerTo, createReplies, questionOf, type Replies } from '../e2e/replies.ts';
import { createOwnServers, type OwnServer, type OwnServers } from '../own-servers.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';

let own: OwnServers;
let neo4j: OwnServer<RunningNeo4j>;
let stack: Stack;
let replies: Replies;
beforeAll(async () => {
  own = await createOwnServers();
  neo4j = await own.neo4j();
  stack = await startStack({ neo4j: neo4j.running });
  replies = createReplies(stack.upstream);
}, 180_000);
afterAll(async () => {
  await stack.close();
  await own.close();
});

const unavailable = { code: 'graph_unavailable', retryable: true, source: 'graph' };

test('C1: a store that dies behind an answer and before a message gets both when it is back, once', async () => {
  const [answered, fresh] = [newTurnId(), newTurnId()];
  const valve = replies.held(questionOf(answered), ['shown, ', 'not stored']);
  valve.pass(1);
  const ada = await stack.connect();
  ada.message(answered, newConversationId(), questionOf(answered));
  await ada.untilEvent(answered, 'delta');
  await neo4j.kill();
  valve.open();
  await ada.untilEvent(answered, 'agent_completed');
  expect(await ada.untilEvent(answered, 'waiting')).toMatchObject({ reason: 'graph', error: unavailable });
  expect(answerOf(ada.transcript(answered))).toBe('shown, not stored');
  expect(stateOf(ada.transcript(answered))).toBe('waiting');

  ada.message(fresh, newConversationId(), questionOf(fresh));
  expect(await ada.untilEvent(fresh, 'waiting')).toMatchObject({ reason: 'graph', error: unavailable });
  const view = await stack.fetch(`/api/turns/${answered}`);
  expect(view.status).toBe(503);
  expect(await view.json()).toMatchObject({ code: 'graph_unavailable' });
  const list = await stack.fetch('/api/conversations');
  expect(list.status).toBe(503);

  await neo4j.startAgain();
  const transcript = await ada.untilEnd(answered);
  expect(terminalOf(transcript)?.type).toBe('turn_completed');
  expect(answerOf(transcript)).toBe('shown, not stored');
  expect(ada.events(answered).filter(isTerminal)).toHaveLength(1);
  expect(transcript.log.filter(({ type }) => type === 'conversation_stored')).toHaveLength(1);
  expect(await stack.candor.graph.turn(answered)).toMatchObject({
    result: { outcome: 'completed' },
    steps: [{ text: 'shown, not stored' }],
  });
  expect(answerOf(await ada.untilEnd(fresh))).toBe(answerTo(questionOf(fresh)));
  for (const turnId of [answered, fresh]) expect(replies.calls(questionOf(turnId))).toHaveLength(1);
}, 180_000);
