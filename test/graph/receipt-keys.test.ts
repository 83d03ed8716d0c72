// The public keys of receipts: published by workers again and again, kept for good, listed in the order of their coming.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Graph } from '../../src/graph/neo4j.ts';
import type { ReceiptKeyJwk } from '../../src/protocol/receipt.ts';
import { openGraph } from './graph-under-test.ts';

let graph: Graph;
let time = Date.parse('2020-01-01T00:00:00Z');
beforeAll(async () => {
  graph = await openGraph({ now: () => new Date((time += 1_000)) });
});
afterAll(() => graph.close());

const newKey = (): ReceiptKeyJwk => ({
  ...{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' },
  x: randomBytes(32).toString('base64url'),
  kid: randomBytes(32).toString('base64url'),
});

test('keys are listed whole, oldest first, once each, however often they are published', async () => {
  const keys = [newKey(), newKey(), newKey()];
  for (const key of keys) await graph.publishReceiptKey(key);
  for (const key of [...keys].reverse()) await graph.publishReceiptKey(key);
  const mine = (await graph.receiptKeys()).filter(({ kid }) => keys.some((key) => key.kid === kid));
  expect(mine).toEqual(keys);
});

test('many workers that publish one key at once publish one', async () => {
  const key = newKey();
  await Promise.all(Array.from({ length: 20 }, () => graph.publishReceiptKey(key)));
  expect((await graph.receiptKeys()).filter(({ kid }) => kid === key.kid)).toEqual([key]);
});
