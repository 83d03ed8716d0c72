// The key that receipts are signed with: private, whole, the same after a restart, and never a pair that does not match.

import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint } from 'jose';
import { parseKeySet } from '../../src/receipts/key-set.ts';
import { loadReceiptKey, readPublicKey, receiptKeyFile, toReceiptKeyPath } from '../../src/receipts/receipt-key.ts';
import { newFolder, newSigner } from './receipts-under-test.ts';

let dataDir: string;
let path: string;
beforeEach(async () => {
  dataDir = join(await newFolder(), 'data');
  path = toReceiptKeyPath(dataDir, null);
});

describe('the receipt key', () => {
  test('is made once, readable by its owner only, and named by its thumbprint', async () => {
    const { publicKey } = await loadReceiptKey(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(dataDir)).toEqual([receiptKeyFile]);
    const { kty, crv, x } = publicKey;
    const kid = await calculateJwkThumbprint({ kty, crv, x });
    expect(publicKey).toEqual({ kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' });
    expect(await loadReceiptKey(path)).toMatchObject({ publicKey });
    expect(await readPublicKey(path)).toEqual(publicKey);
  });

  test('is one for many processes that start at once', async () => {
    const signers = await Promise.all(Array.from({ length: 20 }, () => loadReceiptKey(path)));
    expect(new Set(signers.map(({ publicKey }) => publicKey.kid)).size).toBe(1);
    expect(await readdir(dataDir)).toEqual([receiptKeyFile]);
  });

  test('lies where the configuration says', async () => {
    const elsewhere = toReceiptKeyPath(dataDir, join(dataDir, 'keys', 'signing.json'));
    await loadReceiptKey(elsewhere);
    expect(await readdir(dataDir)).toEqual(['keys']);
  });

  test('is not made by those who only check', async () => {
    expect(await readPublicKey(path)).toBeNull();
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  test('shows nothing of its private part', async () => {
    const signer = await loadReceiptKey(path);
    const { d } = JSON.parse(await readFile(path, 'utf8')) as { d: string };
    expect(d).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(signer)).not.toContain(d);
  });

  test('is refused when others can read it', async () => {
    await loadReceiptKey(path);
    await chmod(path, 0o640);
    await expect(loadReceiptKey(path)).rejects.toThrow(/^unable to use the receipt key; .*mode 640/);
  });

  test.each([
    ['no JSON', async () => 'key'],
    ['a public key', async () => JSON.stringify((await newSigner()).publicKey)],
    ['a key of another kind', async () => JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'x', d: 'd' })],
    ['a key that is too short', async () => JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: 'AA', d: 'AA' })],
    [
      'the public part of another key',
      async () => {
        await loadReceiptKey(path);
        const own = JSON.parse(await readFile(path, 'utf8')) as object;
        return JSON.stringify({ ...own, x: (await newSigner()).publicKey.x });
      },
    ],
  ])('is refused, and kept, when its file holds %s', async (_, content) => {
    const text = await content();
    await loadReceiptKey(path);
    await writeFile(path, text);
    await expect(loadReceiptKey(path)).rejects.toThrow(/^unable to use the receipt key; .* holds /);
    expect(await readFile(path, 'utf8')).toBe(text);
  });
});

describe('a set of published keys', () => {
  test('takes those of Ed25519 by their thumbprint, whatever they are called', async () => {
    const [one, two] = [(await newSigner()).publicKey, (await newSigner()).publicKey];
    const broken = { ...one, x: 'AA' };
    const keys = [{ ...one, kid: two.kid }, { kty: 'RSA', n: 'x', e: 'AQAB' }, broken, two];
    expect([...(await parseKeySet(JSON.stringify({ keys }))).keys()].sort()).toEqual([one.kid, two.kid].sort());
  });

  test.each([
    ['no JSON', 'keys', 'no JSON'],
    ['no list', '{"keys":7}', 'a list'],
    ['nothing that is of use', '{"keys":[{"kty":"RSA"},7,null]}', 'no key in it'],
    ['a key that is none', '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}', 'no key in it'],
  ])('with %s is refused', async (_, text, reason) => {
    await expect(parseKeySet(text)).rejects.toThrow(reason);
  });
});
