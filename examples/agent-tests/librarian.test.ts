// The tests of a team that has one agent. Everything is real but the model: the agent's file, the worker, the gateway,
// Temporal and Neo4j. `node --import tsx --test examples/agent-tests/librarian.test.ts`

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  answer,
  createTestCandor,
  createValve,
  refuse,
  resetAfter,
  startTestServers,
  type TestCandor,
  type TestServers,
} from 'candor/testing';

const folder = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

let servers: TestServers;
let candor: TestCandor;
before(async () => {
  servers = await startTestServers();
  candor = await createTestCandor({
    servers,
    agentsDir: folder('agents'),
    knowledgeDir: folder('knowledge'),
    agentId: 'librarian',
  });
});
after(async () => {
  await candor.close();
  await servers.stop();
});

test('the librarian is given the house rules and the question as it was asked', async () => {
  candor.upstream.chat.enqueue(answer(['21 days. ', 'Source: [house rules, section 4]']));
  const turn = await candor.say('How long may I keep a book?');
  const { state, text, check } = await turn.end();

  assert.equal(state, 'completed');
  assert.equal(text, '21 days. Source: [house rules, section 4]');
  assert.deepEqual(check.violations, []);

  const [call] = turn.calls;
  const prompt = call?.body.messages.map(({ content }) => content).join('\n');
  assert.equal(call?.body.model, 'harbour-chat');
  assert.match(prompt ?? '', /You answer readers of the public library/);
  assert.match(prompt ?? '', /A book is lent for 21 days/);
  assert.equal(call?.body.messages.at(-1)?.content, 'How long may I keep a book?');
});

test('a provider that fails three times costs three attempts and not one wrong character', async () => {
  candor.upstream.chat.enqueue(refuse(503), resetAfter(['A fortn']), refuse(502), answer(['Three ', 'weeks.']));
  const turn = await candor.say('And how many weeks is that?');
  const { state, text, log, check } = await turn.end();

  assert.equal(state, 'completed');
  assert.equal(text, 'Three weeks.');
  assert.equal(log.filter((type) => type === 'attempt_failed').length, 3);
  assert.equal(turn.calls.length, 4);
  assert.equal(check.figures.discardedChars, 'A fortn'.length);
  assert.deepEqual(check.violations, []);
});

test('a provider that refuses our key ends the turn with a reason, and nothing is stored as an answer', async () => {
  candor.upstream.chat.enqueue(refuse(401));
  const turn = await candor.say('May I extend it?');
  const { state, text, error, check } = await turn.end();

  assert.equal(state, 'failed');
  assert.equal(text, '');
  assert.equal(error?.code, 'llm_auth');
  assert.deepEqual(check.violations, []);
  const stored = (await (await candor.fetch(`/api/turns/${turn.turnId}`)).json()) as { answer: string | null };
  assert.equal(stored.answer, null);
});

test('a reader who stops in the middle keeps what was said, and the model is left alone', async () => {
  const valve = createValve();
  candor.upstream.chat.enqueue(answer(['Our oldest book ', 'is an atlas ', 'of 1612.'], { valve }));
  const turn = await candor.say('What is your oldest book?');
  valve.pass(1);
  await turn.until('delta');
  turn.stop();
  const { state, text, check } = await turn.end();

  assert.equal(state, 'cancelled');
  assert.equal(text, 'Our oldest book ');
  assert.notEqual(turn.calls[0]?.closedAt, null);
  assert.deepEqual(check.violations, []);
});
