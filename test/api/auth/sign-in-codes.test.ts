/** A printed code is worth one token, once, soon, and on this machine. */
import { describe, expect, test } from '@jest/globals';
import { createSignInCodes, type SignInCodes } from '../../../src/api/auth/sign-in-codes.ts';
import { refusalOf } from './refusal.ts';

const here = '127.0.0.1:3000';

function setUp(): { codes: SignInCodes; pass: (ms: number) => void; issued: () => number } {
  let now = 0;
  let issued = 0;
  const issueToken = async (): Promise<string> => `token-${++issued}`;
  const codes = createSignInCodes({ host: '127.0.0.1', issueToken, ttlMs: 1_000, nowMs: () => now });
  return { codes, pass: (ms) => void (now += ms), issued: () => issued };
}

describe('a sign-in code', () => {
  test('holds 128 bits and never comes twice', () => {
    const { codes } = setUp();
    const many = Array.from({ length: 1_000 }, () => codes.issue());
    expect(new Set(many).size).toBe(1_000);
    expect(many.every((code) => Buffer.from(code, 'base64url').length === 16)).toBe(true);
  });

  test('is exchanged once', async () => {
    const { codes, issued } = setUp();
    const code = codes.issue();
    expect(await codes.exchange(code, here)).toBe('token-1');
    expect((await refusalOf(() => codes.exchange(code, here))).code).toBe('unauthenticated');
    expect(issued()).toBe(1);
  });

  test('is exchanged once also when two pages try at the same time', async () => {
    const { codes, issued } = setUp();
    const code = codes.issue();
    const outcomes = await Promise.allSettled([codes.exchange(code, here), codes.exchange(code, here)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(issued()).toBe(1);
  });

  test('is too old after its time', async () => {
    const { codes, pass } = setUp();
    const code = codes.issue();
    pass(1_000);
    expect((await refusalOf(() => codes.exchange(code, here))).code).toBe('unauthenticated');
  });

  test('stands beside others: each print has its own', async () => {
    const { codes } = setUp();
    const [first, second] = [codes.issue(), codes.issue()];
    expect(await codes.exchange(second, here)).toBe('token-1');
    expect(await codes.exchange(first, here)).toBe('token-2');
  });

  test('makes room for newer ones after sixteen', async () => {
    const { codes } = setUp();
    const first = codes.issue();
    const rest = Array.from({ length: 16 }, () => codes.issue());
    expect((await refusalOf(() => codes.exchange(first, here))).code).toBe('unauthenticated');
    expect(await codes.exchange(rest[0] ?? '', here)).toBe('token-1');
  });

  test.each(['', 'x', 'a'.repeat(100_000)])('that was never issued is refused', async (code) => {
    const { codes } = setUp();
    codes.issue();
    expect((await refusalOf(() => codes.exchange(code, here))).code).toBe('unauthenticated');
  });

  test.each([undefined, 'evil.example', 'evil.example:3000', '127.0.0.1.evil.example', '192.168.1.5:3000', 'a b'])(
    'is not exchanged for a request to the host %s, and stays unused',
    async (host) => {
      const { codes } = setUp();
      const code = codes.issue();
      expect((await refusalOf(() => codes.exchange(code, host))).code).toBe('forbidden');
      expect(await codes.exchange(code, 'localhost:3000')).toBe('token-1');
    },
  );

  test('is not offered by a gateway that other machines reach', () => {
    const issueToken = async (): Promise<string> => 'token';
    expect(() => createSignInCodes({ host: '0.0.0.0', issueToken })).toThrow(/unable to offer the local sign-in/);
  });
});
