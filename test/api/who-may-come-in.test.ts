// Who is let in: a good token, from a page of ours, for as long as it lives. Everybody else is refused before anything
// starts, over the socket and over REST alike.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toTokenSubprotocol } from '../../src/api/auth/socket-token.ts';
import { createChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { answer } from '../../testing/upstream/upstream.ts';
import { countCalls, forgeUnsigned, signToken, upgrade, wasStarted } from './refusals.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const secondsAgo = (seconds: number): number => Math.floor(Date.now() / 1_000) - seconds;

type Refused = readonly [what: string, token: () => Promise<string | null>];
const tokens: readonly Refused[] = [
  ['no token', async () => null],
  ['a token that is none', async () => 'not-a-token'],
  ['a token of another key', () => signToken(randomBytes(32))],
  ['an expired token', () => signToken(stack.key, { exp: secondsAgo(60) })],
  ['a token without an end', () => signToken(stack.key, { exp: undefined })],
  ['a token that is not valid yet', () => signToken(stack.key, { nbf: secondsAgo(-600) })],
  ['a token under alg none', async () => forgeUnsigned()],
  ['a token for another audience', () => signToken(stack.key, { aud: 'somebody-else' })],
  ['a token of another issuer', () => signToken(stack.key, { iss: 'somebody-else' })],
  ['a token without a user', () => signToken(stack.key, { sub: undefined })],
  ['a token of an unknown tier', () => signToken(stack.key, { tier: 'royal' })],
];

describe('refused', () => {
  test.each(tokens)('%s: 401 at the upgrade and in REST, nothing started (G1, G2)', async (_what, make) => {
    const calls = countCalls(stack);
    const token = await make();
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const { status, text } = await upgrade(stack.url, '/ws/operator', { headers: { origin: stack.url, ...headers } });
    expect(status).toBe(401);
    if (token !== null) expect(text).not.toContain(token);
    const turnId = newTurnId();
    const response = await fetch(`${stack.url}/api/conversations/${newConversationId()}/turns`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ turnId, text: 'How do I hold a job?' }),
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toMatchObject({ status: 401, code: 'unauthenticated', retryable: false });
    expect(await wasStarted(stack, turnId)).toBe(false);
    expect(countCalls(stack)).toBe(calls);
  });

  test.each(tokens.slice(1))('%s in the subprotocol list', async (_what, make) => {
    const protocols = ['candor.v1', toTokenSubprotocol((await make()) ?? '')];
    const { status } = await upgrade(stack.url, '/ws/operator', { protocols, headers: { origin: stack.url } });
    expect(status).toBe(401);
  });

  test.each(['token', 'access_token', 'jwt'])('a good token as %s in the address', async (name) => {
    const query = `?${name}=${await stack.token()}`;
    const headers = { origin: stack.url };
    expect((await upgrade(stack.url, `/ws/operator${query}`, { headers })).status).toBe(401);
    expect((await fetch(`${stack.url}/api/agents${query}`)).status).toBe(401);
  });

  test.each([
    ['https://evil.example', 'a foreign page'],
    ['null', 'an opaque page'],
    ['http://127.0.0.1:1', 'another port of this machine'],
  ])('%s (%s), with a good token: 403 at the upgrade', async (origin) => {
    const headers = { origin, authorization: `Bearer ${await stack.token()}` };
    expect((await upgrade(stack.url, '/ws/operator', { headers })).status).toBe(403);
  });

  test('a token in the subprotocol list without any Origin: 403', async () => {
    const protocols = ['candor.v1', toTokenSubprotocol(await stack.token())];
    expect((await upgrade(stack.url, '/ws/operator', { protocols })).status).toBe(403);
  });
});

describe('let in', () => {
  test('a token in the subprotocol list, which is not echoed', async () => {
    const offered = toTokenSubprotocol(await stack.token());
    const { status, protocol, text } = await upgrade(stack.url, '/ws/operator', {
      protocols: ['candor.v1', offered],
      headers: { origin: stack.url },
    });
    expect([status, protocol]).toEqual([101, 'candor.v1']);
    expect(text).not.toContain(offered);
  });

  test('until the token expires: then the socket closes with 4401', async () => {
    const token = await signToken(stack.key, { exp: secondsAgo(-2) });
    const socket = await createChatClient({ url: stack.url, agentId: 'operator', token });
    await socket.until((frame) => frame.type === 'hello');
    expect(await socket.closed).toBe(4401);
  });

  test('for longer with a fresh token of the same user, not of another', async () => {
    const token = await signToken(stack.key, { exp: secondsAgo(-3) });
    const socket = await createChatClient({ url: stack.url, agentId: 'operator', token });
    socket.send({ type: 'auth', token: await stack.token('eve') });
    expect((await socket.untilError('auth')).error.code).toBe('forbidden');
    socket.send({ type: 'auth', token: await stack.token('ada') });
    const short = await createChatClient({ url: stack.url, agentId: 'operator', token });
    expect(await short.closed).toBe(4401);
    stack.upstream.chat.enqueue(answer('Still here.'));
    const turnId = newTurnId();
    socket.message(turnId, newConversationId(), 'Are you there?');
    await socket.untilEvent(turnId, 'turn_completed');
    socket.close();
  });
});
