/** What stands before the token's check: where the token is, which page asks, and where the gateway may listen. */
import { describe, expect, test } from '@jest/globals';
import { refuseExposure } from '../../../src/api/auth/exposure.ts';
import { isLoopbackHost } from '../../../src/api/auth/loopback.ts';
import { createOriginCheck } from '../../../src/api/auth/origin.ts';
import { readToken, selectSubprotocol, toTokenSubprotocol } from '../../../src/api/auth/socket-token.ts';
import { refusalOf } from './refusal.ts';

const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl-_';

describe('the token of a request', () => {
  test('is read from Authorization', () => {
    expect(readToken({ authorization: `Bearer ${token}` })).toBe(token);
    expect(readToken({ authorization: `bearer ${token}` })).toBe(token);
  });

  test('is read from the list of subprotocols, wherever it stands in it', () => {
    const ours = toTokenSubprotocol(token);
    expect(ours).toMatch(/^jwt\.[A-Za-z0-9_-]+$/);
    expect(readToken({ 'sec-websocket-protocol': `candor.v1, ${ours}` })).toBe(token);
    expect(readToken({ 'sec-websocket-protocol': `${ours},candor.v1` })).toBe(token);
  });

  test('in Authorization goes before the subprotocol, and a broken one is not passed over', async () => {
    const offered = { 'sec-websocket-protocol': toTokenSubprotocol('other.other.other') };
    expect(readToken({ ...offered, authorization: `Bearer ${token}` })).toBe(token);
    const refusal = await refusalOf(() => readToken({ ...offered, authorization: 'Basic YTpi' }));
    expect(refusal.code).toBe('unauthenticated');
  });

  test.each([
    ['nothing', {}],
    ['no token in the list', { 'sec-websocket-protocol': 'candor.v1' }],
    ['an empty token', { 'sec-websocket-protocol': 'candor.v1, jwt.' }],
    ['characters outside base64url', { 'sec-websocket-protocol': 'jwt.ab+/=' }],
    ['two tokens', { 'sec-websocket-protocol': 'jwt.YQ, jwt.Yg' }],
    ['a bearer without a token', { authorization: 'Bearer ' }],
  ])('is refused with %s, and the refusal does not repeat it', async (_, headers) => {
    const refusal = await refusalOf(() => readToken(headers));
    expect(refusal.code).toBe('unauthenticated');
    expect(`${refusal.message} ${String(refusal.cause)}`).not.toMatch(/YQ|ab\+/);
  });

  test('is never selected as the subprotocol', () => {
    const ours = toTokenSubprotocol(token);
    expect(selectSubprotocol(new Set([ours, 'candor.v1']))).toBe('candor.v1');
    expect(selectSubprotocol(new Set([ours]))).toBe(false);
    expect(selectSubprotocol(new Set())).toBe(false);
  });
});

describe('the origin of a request', () => {
  const check = createOriginCheck(['https://chat.example', 'http://localhost:5173']);

  test.each([
    ['the same host', { origin: 'http://127.0.0.1:3000', host: '127.0.0.1:3000' }],
    ['the same host on a default port', { origin: 'https://candor.example', host: 'candor.example' }],
    ['the same host with its default port written', { origin: 'https://candor.example', host: 'candor.example:443' }],
    ['the same host in other letters', { origin: 'http://candor.example', host: 'Candor.Example' }],
    ['a listed origin', { origin: 'https://chat.example', host: 'candor.example' }],
    ['a listed origin, and no host', { origin: 'http://localhost:5173' }],
    ['no origin and a bearer token', { host: 'candor.example', authorization: `Bearer ${token}` }],
  ])('may be %s', (_, headers) => {
    expect(() => check(headers)).not.toThrow();
  });

  test.each([
    ['absent without a bearer token', { host: 'candor.example' }],
    ['absent with other credentials', { host: 'candor.example', authorization: 'Basic YTpi' }],
    ['foreign', { origin: 'https://evil.example', host: 'candor.example' }],
    ['foreign, also with a bearer token', { origin: 'https://evil.example', authorization: `Bearer ${token}` }],
    ['another port', { origin: 'http://127.0.0.1:3001', host: '127.0.0.1:3000' }],
    ['a listed name with another scheme', { origin: 'http://chat.example', host: 'candor.example' }],
    ['a name that begins like ours', { origin: 'https://candor.example.evil.example', host: 'candor.example' }],
    ['opaque', { origin: 'null', host: 'null' }],
    ['of a file', { origin: 'file://', host: '' }],
    ['an address with a path', { origin: 'https://candor.example/x', host: 'candor.example' }],
    ['an address with a user', { origin: 'https://candor.example@evil.example', host: 'candor.example' }],
    ['several', { origin: 'https://candor.example https://evil.example', host: 'candor.example' }],
  ])('may not be %s', async (_, headers) => {
    expect((await refusalOf(() => check(headers))).info).toMatchObject({ code: 'forbidden' });
  });

  test.each(['chat.example', 'https://chat.example/', '*', 'ftp://chat.example'])('cannot be listed as %s', (entry) => {
    expect(() => createOriginCheck([entry])).toThrow(/unable to allow the origin/);
  });
});

describe('the host to listen on', () => {
  test.each([
    'localhost',
    'LOCALHOST',
    'candor.localhost',
    '127.0.0.1',
    '127.8.8.8',
    '::1',
    '[::1]',
    '::ffff:127.0.0.1',
  ])('%s is this machine only and needs nothing', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
    expect(() => refuseExposure({ host })).not.toThrow();
  });

  test.each(['0.0.0.0', '::', '[::]', '192.168.1.5', '10.0.0.1', 'candor.example', 'localhost.evil.example', ''])(
    '%s refuses to start without an issuer or a secret',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
      expect(() => refuseExposure({ host })).toThrow(/unable to listen on .*CANDOR_JWKS_URL.*CANDOR_JWT_SECRET/);
    },
  );

  test('may be any with keys of an issuer, or with a secret that cannot be guessed', () => {
    expect(() => refuseExposure({ host: '0.0.0.0', jwksUrl: 'https://issuer.example/keys' })).not.toThrow();
    expect(() => refuseExposure({ host: '0.0.0.0', secret: 'x'.repeat(32) })).not.toThrow();
    expect(() => refuseExposure({ host: '0.0.0.0', secret: 'x'.repeat(31) })).toThrow(/31 bytes/);
  });
});
