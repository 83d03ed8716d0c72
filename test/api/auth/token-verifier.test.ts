/**
 * Tokens are real: signed by jose with keys of every kind that an issuer or an attacker has. A refusal is always the
 * same code; the cause tells the operator why.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair, type CryptoKey } from 'jose';
import { createTokenVerifier, type VerifyToken } from '../../../src/api/auth/token-verifier.ts';
import { startKeyServer, type KeyServer } from './key-server.ts';
import { refusalOf } from './refusal.ts';

const secret = 'a secret of more than thirty-two bytes, for tests';
const issuer = 'https://issuer.example';
const audience = 'candor-test';
const nowMs = Date.parse('2026-03-01T12:00:00Z');
const nowSeconds = nowMs / 1_000;

const claims = { sub: 'ada', iss: issuer, aud: audience, exp: nowSeconds + 60, roles: ['reviewer'], tier: 'mid' };
type Claims = Record<string, unknown>;

const without = (name: string): Claims => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
const sign = (payload: Claims, key: CryptoKey | Uint8Array, header: { alg: string; kid?: string }): Promise<string> =>
  new SignJWT(payload).setProtectedHeader(header).sign(key);
const signWithSecret = (payload: Claims, text = secret, alg = 'HS256'): Promise<string> =>
  sign(payload, new TextEncoder().encode(text), { alg });
const reasonOf = ({ cause }: Error): string => (cause instanceof Error ? cause.message : '');

describe('a verifier with a shared secret', () => {
  const verify = createTokenVerifier({ secret, issuer, audience, nowMs: () => nowMs });

  test('gives the caller that the claims name', async () => {
    expect(await verify(await signWithSecret(claims))).toEqual({
      userId: 'ada',
      roles: ['reviewer'],
      tier: 'mid',
      expiresAt: new Date(nowMs + 60_000),
    });
  });

  test('reads absent roles as none and an absent tier as free', async () => {
    const token = await signWithSecret({ sub: 'ada', iss: issuer, aud: [audience, 'other'], exp: nowSeconds + 60 });
    expect(await verify(token)).toMatchObject({ roles: [], tier: 'free' });
  });

  test.each([
    ['another audience', { ...claims, aud: 'someone-else' }, /audience|is for/],
    ['no audience', without('aud'), /audience|is for/],
    ['another issuer', { ...claims, iss: 'https://evil.example' }, /"iss"/],
    ['no issuer', without('iss'), /"iss"/],
    ['an expiry in the past', { ...claims, exp: nowSeconds - 6 }, /"exp"/],
    ['no expiry', without('exp'), /"exp"/],
    ['a start in the future', { ...claims, nbf: nowSeconds + 6 }, /"nbf"/],
    ['no subject', without('sub'), /"sub"/],
    ['an empty subject', { ...claims, sub: '' }, /sub/],
    ['a subject with control characters', { ...claims, sub: 'ada\n' }, /sub/],
    ['a subject of 256 characters', { ...claims, sub: 'a'.repeat(256) }, /sub/],
    ['roles that are not a list', { ...claims, roles: 'reviewer' }, /roles/],
    ['roles that are not names', { ...claims, roles: [1] }, /roles/],
    ['an unknown tier', { ...claims, tier: 'platinum' }, /tier/],
  ])('refuses a token with %s', async (_, payload, reason) => {
    const refusal = await refusalOf(async () => verify(await signWithSecret(payload)));
    expect(refusal.code).toBe('unauthenticated');
    expect(reasonOf(refusal)).toMatch(reason);
  });

  test('forgives five seconds of difference between two clocks', async () => {
    const late = await signWithSecret({ ...claims, exp: nowSeconds - 4, nbf: nowSeconds + 4 });
    expect((await verify(late)).userId).toBe('ada');
  });

  test.each(['HS384', 'HS512'])('refuses the algorithm %s, which is not on its list', async (alg) => {
    const refusal = await refusalOf(async () => verify(await signWithSecret(claims, secret, alg)));
    expect(refusal.cause).toMatchObject({ code: 'ERR_JOSE_ALG_NOT_ALLOWED' });
  });

  test('refuses another secret', async () => {
    const refusal = await refusalOf(async () => verify(await signWithSecret(claims, `${secret}!`)));
    expect(refusal.cause).toMatchObject({ code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
  });

  test('refuses alg none, in any spelling', async () => {
    const unsecured = new UnsecuredJWT(claims).encode();
    const header = Buffer.from(JSON.stringify({ alg: 'NONE' })).toString('base64url');
    for (const token of [unsecured, unsecured.replace(/^[^.]+/, header), `${unsecured}AAAA`]) {
      expect((await refusalOf(() => verify(token))).code).toBe('unauthenticated');
    }
  });

  test('refuses claims that were changed after the signature', async () => {
    const [header, , signature] = (await signWithSecret(claims)).split('.');
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'eve' })).toString('base64url');
    expect((await refusalOf(() => verify(`${header}.${forged}.${signature}`))).code).toBe('unauthenticated');
  });

  test('answers any text at all with the same code', async () => {
    const part = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
    );
    const anyToken = fc.oneof(
      fc.string(),
      fc.tuple(part, part, part).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(anyToken, async (token) => {
        expect((await refusalOf(() => verify(token))).code).toBe('unauthenticated');
      }),
      { numRuns: 200 },
    );
  });
});

describe('a verifier with a secret and nothing else', () => {
  const verify = createTokenVerifier({ secret, nowMs: () => nowMs });

  test('accepts a token without an audience, or for candor', async () => {
    expect((await verify(await signWithSecret(without('aud')))).userId).toBe('ada');
    expect((await verify(await signWithSecret({ ...claims, aud: 'candor' }))).userId).toBe('ada');
  });

  test('refuses a token that names another audience', async () => {
    expect((await refusalOf(async () => verify(await signWithSecret(claims)))).code).toBe('unauthenticated');
  });
});

describe('a verifier with a key server', () => {
  let server: KeyServer;
  let verify: VerifyToken;
  let rsa: Awaited<ReturnType<typeof generateKeyPair>>;
  let ed: Awaited<ReturnType<typeof generateKeyPair>>;

  beforeAll(async () => {
    rsa = await generateKeyPair('RS256', { extractable: true });
    ed = await generateKeyPair('EdDSA', { extractable: true });
    server = await startKeyServer([
      { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', use: 'sig' },
      { ...(await exportJWK(ed.publicKey)), kid: 'ed', use: 'sig' },
    ]);
    verify = createTokenVerifier({ jwksUrl: server.url, issuer, audience, nowMs: () => nowMs });
  });
  afterAll(() => server.close());

  test('accepts tokens of the listed kinds', async () => {
    expect((await verify(await sign(claims, rsa.privateKey, { alg: 'RS256', kid: 'rsa' }))).userId).toBe('ada');
    expect((await verify(await sign(claims, ed.privateKey, { alg: 'EdDSA', kid: 'ed' }))).userId).toBe('ada');
  });

  test('fetches the keys once for many tokens', async () => {
    const before = server.requests();
    const token = await sign(claims, rsa.privateKey, { alg: 'RS256', kid: 'rsa' });
    await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    expect(server.requests() - before).toBeLessThanOrEqual(1);
  });

  test('refuses an HS256 token signed with the public key as its secret', async () => {
    const publicPem = await exportSPKI(rsa.publicKey);
    const confused = await sign(claims, new TextEncoder().encode(publicPem), { alg: 'HS256', kid: 'rsa' });
    const refusal = await refusalOf(() => verify(confused));
    expect(refusal.code).toBe('unauthenticated');
    expect(refusal.cause).toMatchObject({ code: 'ERR_JOSE_ALG_NOT_ALLOWED' });
  });

  test('refuses a key that the issuer does not have, and one under a foreign name', async () => {
    const stranger = await generateKeyPair('RS256');
    for (const kid of ['rsa', 'unknown']) {
      const token = await sign(claims, stranger.privateKey, { alg: 'RS256', kid });
      expect((await refusalOf(() => verify(token))).code).toBe('unauthenticated');
    }
  });

  test('refuses alg none without asking for keys', async () => {
    const before = server.requests();
    expect((await refusalOf(() => verify(new UnsecuredJWT(claims).encode()))).code).toBe('unauthenticated');
    expect(server.requests()).toBe(before);
  });

  test('does not call a user signed out because the key server fails', async () => {
    const token = await sign(claims, rsa.privateKey, { alg: 'RS256', kid: 'rsa' });
    const broken = await startKeyServer([], 500);
    try {
      const options = { jwksUrl: broken.url, issuer, audience, nowMs: () => nowMs };
      const refusal = await refusalOf(() => createTokenVerifier(options)(token));
      expect(refusal.info).toMatchObject({ code: 'internal', retryable: true });
      expect(refusal.message).toContain('key server');
    } finally {
      await broken.close();
    }
  });
});

describe('options that cannot be used', () => {
  test.each([
    ['neither keys nor secret', {}, /neither/],
    ['both', { secret, jwksUrl: 'http://127.0.0.1/keys', issuer }, /both/],
    ['a key server without an issuer', { jwksUrl: 'http://127.0.0.1/keys' }, /CANDOR_JWT_ISSUER/],
    ['an empty secret', { secret: '' }, /empty/],
  ])('%s', (_, options, reason) => {
    expect(() => createTokenVerifier(options)).toThrow(reason);
  });
});
