// REST: what it takes, what it refuses, and that another user's things are not there.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { answer, createValve } from '../../testing/upstream/upstream.ts';
import { countCalls, wasStarted } from './refusals.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const post = (conversationId: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  stack.fetch(`/api/conversations/${conversationId}/turns`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

async function expectProblem(response: Response, status: number, code: string): Promise<void> {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(await response.json()).toMatchObject({ type: `urn:candor:error:${code}`, status, code });
  expect(response.status).toBe(status);
}

describe('POST /api/conversations/{id}/turns', () => {
  test('answers 202 with the turn and its address while the model still works', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    const valve = createValve();
    stack.upstream.chat.enqueue(answer('By `conman "hold"`.', { valve }));
    const response = await post(conversationId, { turnId, text: 'How do I hold a job?' });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe(`/api/turns/${turnId}`);
    expect(await response.json()).toMatchObject({ turnId, conversationId, answer: null, error: null, receipt: null });
    valve.open();
    const again = await post(conversationId, { turnId, text: 'How do I hold a job?' }, { prefer: 'wait' });
    expect(await again.json()).toMatchObject({ turnId, state: 'completed', answer: 'By `conman "hold"`.' });
  });

  test('with Prefer: wait answers 200 with the end', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    stack.upstream.chat.enqueue(answer(['By ', '`conman "hold"`.']));
    const response = await post(conversationId, { turnId, text: 'How do I hold a job?' }, { prefer: 'wait' });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      state: 'completed',
      agentId: 'operator',
      text: 'How do I hold a job?',
      answer: 'By `conman "hold"`.',
      receipt: { outcome: 'completed', model: 'wire-model' },
    });
  });

  test.each([
    ['a body that is not JSON', '{"turnId": ', 400, 'invalid_request'],
    ['a body that is no object', '[]', 400, 'invalid_request'],
    ['no text', { turnId: newTurnId() }, 400, 'invalid_request'],
    ['white space only', { turnId: newTurnId(), text: ' \n ' }, 400, 'invalid_request'],
    ['a text over the limit', { turnId: newTurnId(), text: 'x'.repeat(10_001) }, 413, 'message_too_long'],
    ['a turn’s id that is no UUID', { turnId: '42', text: 'How?' }, 400, 'invalid_request'],
    ['an agent’s id that is none', { turnId: newTurnId(), text: 'How?', agentId: '../x' }, 400, 'invalid_request'],
    ['an unknown agent', { turnId: newTurnId(), text: 'How?', agentId: 'nobody' }, 404, 'agent_not_found'],
  ])('refuses %s, and nothing starts', async (_what, body, status, code) => {
    const calls = countCalls(stack);
    await expectProblem(await post(newConversationId(), body), status, code);
    if (typeof body === 'object') expect(await wasStarted(stack, body.turnId)).toBe(false);
    expect(countCalls(stack)).toBe(calls);
  });

  test('refuses a conversation’s id that is no UUID, and a body of another kind', async () => {
    await expectProblem(await post('42', { turnId: newTurnId(), text: 'How?' }), 400, 'invalid_request');
    const form = await post(newConversationId(), 'text=How', { 'content-type': 'application/x-www-form-urlencoded' });
    await expectProblem(form, 400, 'invalid_request');
  });

  test('a turn’s id that has other content already: 409', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    stack.upstream.chat.enqueue(answer('Yes.'));
    await post(conversationId, { turnId, text: 'Is it on hold?' }, { prefer: 'wait' });
    await expectProblem(await post(conversationId, { turnId, text: 'Is it late?' }), 409, 'turn_conflict');
  });
});

describe('what is not there', () => {
  let turnId: TurnId;
  let conversationId: ConversationId;
  beforeAll(async () => {
    [turnId, conversationId] = [newTurnId(), newConversationId()];
    stack.upstream.chat.enqueue(answer('For ada only.'));
    await post(conversationId, { turnId, text: 'Whose is it?' }, { prefer: 'wait' });
  });
  const asEve = (method: string, path: string, body?: unknown): Promise<Response> =>
    stack.fetch(path, { method, user: 'eve', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

  test.each([
    ['GET', '/api/nothing'],
    ['POST', '/nothing'],
    ['DELETE', '/api/agents'],
  ])('%s %s: a problem, 404', async (method, path) => {
    await expectProblem(await stack.fetch(path, { method }), 404, 'no_data');
  });

  test('another user’s turn is 404 in every route', async () => {
    await expectProblem(await asEve('GET', `/api/turns/${turnId}`), 404, 'turn_not_found');
    await expectProblem(await asEve('GET', `/api/turns/${turnId}/events`), 404, 'turn_not_found');
    await expectProblem(await asEve('POST', `/api/turns/${turnId}/cancel`), 404, 'turn_not_found');
    await expectProblem(await asEve('POST', `/api/turns/${turnId}/withdraw`), 404, 'turn_not_found');
    const body = { turnId, text: 'Whose is it?' };
    await expectProblem(await asEve('POST', `/api/conversations/${conversationId}/turns`, body), 404, 'turn_not_found');
  });

  test('another user’s conversation is 404 in every route, and stays as it is', async () => {
    const path = `/api/conversations/${conversationId}`;
    await expectProblem(await asEve('GET', path), 404, 'conversation_not_found');
    await expectProblem(await asEve('PATCH', path, { title: 'Mine' }), 404, 'conversation_not_found');
    await expectProblem(await asEve('DELETE', path), 404, 'conversation_not_found');
    const list = (await (await asEve('GET', '/api/conversations')).json()) as { items: unknown[] };
    expect(JSON.stringify(list.items)).not.toContain(conversationId);
    const own = (await (await stack.fetch(path)).json()) as { turns: { answer: string }[] };
    expect(own.turns.map((turn) => turn.answer)).toEqual(['For ada only.']);
  });

  test.each(['/api/turns/42', '/api/conversations/42', '/api/conversations?limit=0', '/api/conversations?limit=x'])(
    'GET %s is refused as malformed',
    async (path) => {
      await expectProblem(await stack.fetch(path), 400, 'invalid_request');
    },
  );

  test.each(['!', 'bm90IGpzb24', Buffer.from('{"seq":"x"}').toString('base64url')])(
    'Last-Event-ID %s is refused',
    async (id) => {
      const response = await stack.fetch(`/api/turns/${turnId}/events`, { headers: { 'last-event-id': id } });
      await expectProblem(response, 400, 'invalid_request');
    },
  );
});
