// How a person gets in, and stays in across a reload.

import { describe, expect, test } from '@jest/globals';
import type { UserId } from '../../src/protocol/ids.ts';
import type { SessionResource } from '../../web/src/resources.ts';
import { RestError } from '../../web/src/rest.ts';
import { createSession, parseCode } from '../../web/src/session.ts';
import { createMemoryStore } from './memory-store.ts';

const nowMs = () => Date.parse('2026-01-01T00:00:00Z');
const granted: SessionResource = { token: 'a.b.c', expiresAt: '2026-01-02T00:00:00Z', user: 'local' as UserId };
const refuse = () =>
  Promise.reject(new RestError(401, { code: 'unauthenticated', message: 'The code was used already.' }));

/** An unsigned token with these claims; the page reads them and proves nothing. */
const tokenWith = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

describe('the session', () => {
  test('exchanges the code of the printed address and is still there after a reload', async () => {
    const store = createMemoryStore();
    const session = createSession(store, nowMs);
    await session.begin('#code=once', (code) => Promise.resolve({ ...granted, token: `for-${code}` }));
    expect(session.get()).toEqual({ kind: 'signed-in', token: 'for-once', user: 'local' });

    const reloaded = createSession(store, nowMs);
    await reloaded.begin('', refuse);
    expect(reloaded.token()).toBe('for-once');
  });

  test('tells in the gateway’s words why a code was refused', async () => {
    const session = createSession(createMemoryStore(), nowMs);
    await session.begin('#code=used', refuse);
    expect(session.get()).toEqual({
      kind: 'signed-out',
      ended: false,
      problem: { code: 'unauthenticated', message: 'The code was used already.' },
    });
  });

  test('keeps an open session when its used address is opened again', async () => {
    const store = createMemoryStore();
    const session = createSession(store, nowMs);
    await session.begin('#code=once', () => Promise.resolve(granted));
    await session.begin('#code=once', refuse);
    expect(session.token()).toBe('a.b.c');
  });

  test('asks to sign in again when the stored token has expired', async () => {
    const store = createMemoryStore();
    await createSession(store, nowMs).begin('#code=once', () => Promise.resolve(granted));
    const later = createSession(store, () => Date.parse('2026-01-03T00:00:00Z'));
    await later.begin('', refuse);
    expect(later.get()).toEqual({ kind: 'signed-out', ended: true, problem: null });
  });

  test('takes a pasted token with its owner, and nothing that is none', () => {
    const session = createSession(createMemoryStore(), nowMs);
    expect(session.paste('not a token')).toBe(false);
    expect(session.paste('a.b.c')).toBe(false);
    const token = tokenWith({ sub: 'ünal', exp: nowMs() / 1_000 + 60 });
    expect(session.paste(` ${token}\n`)).toBe(true);
    expect(session.get()).toEqual({ kind: 'signed-in', token, user: 'ünal' });
  });

  test('forgets the token when the gateway ends it', async () => {
    const store = createMemoryStore();
    const session = createSession(store, nowMs);
    await session.begin('#code=once', () => Promise.resolve(granted));
    session.end();
    expect(session.get()).toEqual({ kind: 'signed-out', ended: true, problem: null });
    expect(store.length).toBe(0);
  });
});

test('only a fragment with a code is one', () => {
  expect(parseCode('#code=abc')).toBe('abc');
  expect(parseCode('#code=')).toBeNull();
  expect(parseCode('#/c/123')).toBeNull();
  expect(parseCode('')).toBeNull();
});
