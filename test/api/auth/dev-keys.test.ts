/** The development key: private, whole, and the same after a restart; its tokens pass the ordinary verifier. */
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createDevTokenVerifier, issueDevToken } from '../../../src/api/auth/dev-token.ts';
import { devKeyFile, loadDevKey } from '../../../src/api/auth/dev-keys.ts';
import { createTokenVerifier } from '../../../src/api/auth/token-verifier.ts';
import { refusalOf } from './refusal.ts';

let parent: string;
let dataDir: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'candor-keys-'));
  dataDir = join(parent, 'data');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const keyPath = (): string => join(dataDir, devKeyFile);

describe('the development key', () => {
  test('is made once, readable by its owner only, and leaves no draft behind', async () => {
    await loadDevKey(dataDir);
    expect((await stat(keyPath())).mode & 0o777).toBe(0o600);
    expect(await readdir(dataDir)).toEqual([devKeyFile]);
  });

  test('survives a restart, and so do its tokens', async () => {
    const token = await issueDevToken(await loadDevKey(dataDir));
    const verifyAfterRestart = createDevTokenVerifier(await loadDevKey(dataDir));
    expect(await verifyAfterRestart(token)).toMatchObject({ userId: 'local', tier: 'enterprise', roles: [] });
  });

  test('is one key for many processes that start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadDevKey(dataDir)));
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
    expect(await readdir(dataDir)).toEqual([devKeyFile]);
  });

  test('is refused when others can read it', async () => {
    await loadDevKey(dataDir);
    await chmod(keyPath(), 0o644);
    await expect(loadDevKey(dataDir)).rejects.toThrow(/mode 644/);
  });

  test('is refused, and kept, when it is not a key', async () => {
    await loadDevKey(dataDir);
    await writeFile(keyPath(), 'short');
    await expect(loadDevKey(dataDir)).rejects.toThrow(/holds 3 bytes/);
    expect(await readFile(keyPath(), 'utf8')).toBe('short');
  });

  test('is refused with the path when it cannot be opened', async () => {
    await writeFile(join(parent, 'file'), '');
    await expect(loadDevKey(join(parent, 'file'))).rejects.toThrow(/unable to read the signing key/);
  });
});

describe('a development token', () => {
  test('says user, tier and roles, and ends when it was told to', async () => {
    const key = await loadDevKey(dataDir);
    const nowMs = Date.parse('2026-03-01T12:00:00Z');
    const request = { user: 'ada', tier: 'free', roles: ['reviewer'], ttlMs: 60_000, nowMs: () => nowMs } as const;
    const token = await issueDevToken(key, request);
    expect(await createDevTokenVerifier(key, () => nowMs)(token)).toEqual({
      userId: 'ada',
      tier: 'free',
      roles: ['reviewer'],
      expiresAt: new Date(nowMs + 60_000),
    });
    const late = createDevTokenVerifier(key, () => nowMs + 66_000);
    expect((await refusalOf(() => late(token))).code).toBe('unauthenticated');
  });

  test('is worth nothing with another key or at another issuer', async () => {
    const key = await loadDevKey(dataDir);
    const token = await issueDevToken(key);
    const stranger = createDevTokenVerifier(await loadDevKey(join(parent, 'other')));
    const elsewhere = createTokenVerifier({ secret: key, issuer: 'https://issuer.example', audience: 'candor' });
    expect((await refusalOf(() => stranger(token))).code).toBe('unauthenticated');
    expect((await refusalOf(() => elsewhere(token))).code).toBe('unauthenticated');
  });
});
