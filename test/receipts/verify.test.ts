// A receipt that a stranger checks offline: what was changed, who signed it and what is missing are told apart.

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { CompactSign, compactVerify, generateKeyPair, importJWK } from 'jose';
import type { ReceiptSigner } from '../../src/protocol/ports.ts';
import { toReceiptPayload, type Receipt } from '../../src/protocol/receipt.ts';
import { toKeySet, type KeySet } from '../../src/receipts/key-set.ts';
import type { CheckedReceipt, Verdict } from '../../src/receipts/verdict.ts';
import { verifyDocument } from '../../src/receipts/verify.ts';
import { answer, newReceipt, newSigner, sha256, sign, signChain } from './receipts-under-test.ts';

let signer: ReceiptSigner;
let keys: KeySet;
let receipt: Receipt;
beforeAll(async () => {
  signer = await newSigner();
  keys = await toKeySet([signer.publicKey]);
  receipt = await sign(signer, newReceipt());
});

const check = async (document: unknown, text: string | null = null): Promise<readonly CheckedReceipt[]> =>
  (await verifyDocument(JSON.stringify(document), keys, text === null ? null : Buffer.from(text))).receipts;
const verdicts = async (document: unknown): Promise<readonly Verdict[]> =>
  (await check(document)).map(({ verdict }) => verdict);
const only = async (document: unknown, text?: string): Promise<CheckedReceipt> => {
  const [checked, ...others] = await check(document, text);
  expect(others).toEqual([]);
  if (checked === undefined) throw new Error('nothing was checked');
  return checked;
};
const { turnId, conversationId, agentId } = newReceipt();
const turnOf = (of: Receipt | null, overrides: object = {}) => ({
  ...{ turnId, conversationId, agentId, state: 'completed', text: 'How?', answer, error: null, receipt: of },
  ...overrides,
});

describe('a signature', () => {
  test('is one that any JOSE library checks, with nothing of Candor', async () => {
    const { jws = '' } = receipt;
    const key = await importJWK({ ...signer.publicKey });
    const { payload, protectedHeader } = await compactVerify(jws, key);
    expect(protectedHeader).toEqual({ alg: 'EdDSA', kid: signer.publicKey.kid, typ: 'candor-receipt+jws' });
    const { jws: _jws, ...rest } = receipt;
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual(rest);
    expect(new TextDecoder().decode(payload)).toBe(toReceiptPayload(receipt));
  });

  test('is the same each time: a task that is repeated changes nothing', async () => {
    expect(await signer.sign(newReceipt())).toBe(receipt.jws);
  });
});

describe('a receipt', () => {
  test('as it was signed is valid, whatever the order of its fields', async () => {
    const turned = Object.fromEntries(Object.entries(receipt).reverse());
    expect(await only(receipt)).toMatchObject({
      ...{ verdict: 'valid', turnId, kid: signer.publicKey.kid, answer: 'not_given', predecessor: 'none' },
      receiptSha256: sha256(toReceiptPayload(receipt)),
      signed: newReceipt(),
    });
    expect(await verdicts(turned)).toEqual(['valid']);
  });

  test('with any single other character is never valid', async () => {
    const text = JSON.stringify(receipt);
    const place = fc.nat({ max: text.length - 1 });
    await fc.assert(
      fc.asyncProperty(place, fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme' }), async (at, other) => {
        fc.pre(text[at] !== other);
        const { valid } = await verifyDocument(`${text.slice(0, at)}${other}${text.slice(at + 1)}`, keys, null);
        expect(valid).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('with any character of its signature put another one in its place is never valid', async () => {
    const { jws = '' } = receipt;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const from = jws.lastIndexOf('.') + 1;
    const forged = [...jws.slice(from)].flatMap((was, at) =>
      [...alphabet].filter((c) => c !== was).map((c) => jws.slice(0, from + at) + c + jws.slice(from + at + 1)),
    );
    // The last one stands for two bits only; decoders drop the others.
    const last = forged.slice(-alphabet.length + 1);
    const some = forged.filter((_, at) => at % 53 === 0);
    const found = await verdicts([...last, ...some].map((altered) => ({ ...receipt, jws: altered })));
    expect(new Set(found)).toEqual(new Set(['changed']));
  });

  test.each([
    [
      'a number',
      { attempts: [{ ...newReceipt().attempts[0], attempt: 2 }, newReceipt().attempts[1]] },
      'attempts[0].attempt',
    ],
    ['a word', { model: 'a-better-model' }, 'model'],
    [
      'unknown made nothing',
      { attempts: newReceipt().attempts.map((a) => ({ ...a, usage: { ...a.usage, totalTokens: 0 } })) },
      'attempts[0].usage.totalTokens',
    ],
    ['a call left out', { attempts: newReceipt().attempts.slice(1) }, 'attempts[0].attempt'],
    ['a field more', { note: 'checked' }, 'note'],
    ['a field less', { model: undefined }, 'model'],
  ])('whose clear text has %s changed says which field', async (_, change, field) => {
    expect(await only({ ...receipt, ...change })).toMatchObject({ verdict: 'changed', field, signed: null });
  });

  test('whose signature is of another receipt is changed', async () => {
    const other = await sign(signer, newReceipt({ model: 'other' }));
    expect(await only({ ...receipt, jws: other.jws })).toMatchObject({ verdict: 'changed', field: 'model' });
  });

  test('signed by another key is that, and nothing is said of its content', async () => {
    const stranger = await newSigner();
    const checked = await only(await sign(stranger, newReceipt()));
    expect(checked).toMatchObject({ verdict: 'unknown_key', kid: stranger.publicKey.kid, signed: null });
  });

  test('signed by another key under the name of ours is changed', async () => {
    const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
    const jws = await new CompactSign(new TextEncoder().encode(toReceiptPayload(receipt)))
      .setProtectedHeader({ alg: 'EdDSA', kid: signer.publicKey.kid, typ: 'candor-receipt+jws' })
      .sign(privateKey);
    expect(await verdicts({ ...receipt, jws })).toEqual(['changed']);
  });

  test.each([
    ['no algorithm', { alg: 'none', typ: 'candor-receipt+jws' }],
    ['an algorithm of a shared secret', { alg: 'HS256', typ: 'candor-receipt+jws' }],
    ['another kind of thing', { alg: 'EdDSA', typ: 'JWT' }],
  ])('whose signature says that it is of %s is changed', async (_, header) => {
    const [, payload, signature] = (receipt.jws ?? '').split('.');
    const encoded = Buffer.from(JSON.stringify({ ...header, kid: signer.publicKey.kid })).toString('base64url');
    expect(await verdicts({ ...receipt, jws: `${encoded}.${payload}.${signature}` })).toEqual(['changed']);
  });

  test.each([
    ['no signature', newReceipt()],
    ['a signature that is no text', { ...newReceipt(), jws: 7 }],
    ['no receipt in its turn', turnOf(null)],
  ])('with %s is unsigned', async (_, document) => {
    expect(await verdicts(document)).toEqual(['unsigned']);
  });

  test.each([
    ['no JSON', '{"version":1,'],
    ['a text', '"a receipt"'],
    ['nothing', ''],
    ['something else', '{"keys":[]}'],
    ['an empty list', '[]'],
    ['a conversation without turns', '{"turns":[]}'],
    ['a turn whose receipt is a word', '{"turnId":"x","receipt":"yes"}'],
  ])('in a file with %s is unreadable', async (_, text) => {
    const { receipts } = await verifyDocument(text, keys, null);
    expect(receipts.map(({ verdict }) => verdict)).toEqual(['unreadable']);
  });

  test('of a later version is unreadable here, and not called changed', async () => {
    const later = { ...newReceipt(), version: 2 } as unknown as Receipt;
    expect(await verdicts(await sign(signer, later))).toEqual(['unreadable']);
  });
});

describe('what stands beside a receipt', () => {
  test('answers for itself: the text of the answer', async () => {
    expect(await only(turnOf(receipt))).toMatchObject({ verdict: 'valid', answer: 'fits' });
    expect(await only(turnOf(receipt, { answer: `${answer} ` }))).toMatchObject({ verdict: 'answer_changed' });
    expect(await only(turnOf(receipt, { answer: null }))).toMatchObject({ verdict: 'answer_changed' });
    const failed = await sign(signer, newReceipt({ outcome: 'failed', answerSha256: null }));
    expect(await verdicts(turnOf(failed, { state: 'failed', answer: null }))).toEqual(['valid']);
    expect(await verdicts(turnOf(failed, { state: 'failed' }))).toEqual(['answer_changed']);
  });

  test('or a text that is brought along', async () => {
    expect(await only(receipt, answer)).toMatchObject({ verdict: 'valid', answer: 'fits' });
    expect(await only(receipt, `${answer}\n`)).toMatchObject({ verdict: 'answer_changed', field: 'answerSha256' });
  });

  test('the turn, the conversation, the agent and the end that it names', async () => {
    const event = { type: 'turn_completed', seq: 7, time: receipt.issuedAt, turnId, conversationId, receipt };
    expect(await verdicts(event)).toEqual(['valid']);
    expect(await only({ ...event, type: 'turn_failed' })).toMatchObject({ verdict: 'changed', field: 'outcome' });
    const elsewhere = conversationId.replace('5f', '6f');
    expect(await only({ ...event, turnId: elsewhere })).toMatchObject({ verdict: 'changed', field: 'turnId' });
    expect(await only(turnOf(receipt, { agentId: 'other' }))).toMatchObject({ verdict: 'changed', field: 'agentId' });
    expect(await only(turnOf(receipt, { conversationId: elsewhere }))).toMatchObject({ field: 'conversationId' });
    expect(await verdicts(turnOf(receipt, { state: 'cancelled' }))).toEqual(['changed']);
  });
});

describe('a chain of receipts', () => {
  let chain: Receipt[];
  const inTurns = (receipts: readonly Receipt[]) => ({
    conversationId,
    turns: receipts.map((of) => turnOf(of, { turnId: of.turnId })),
  });
  beforeAll(async () => {
    chain = await signChain(signer, 4);
  });

  test('is valid in any order, as a list and as a conversation', async () => {
    const all = ['valid', 'valid', 'valid', 'valid'];
    expect(await verdicts([...chain].reverse())).toEqual(all);
    expect(await verdicts(inTurns(chain))).toEqual(all);
    expect((await check(chain)).map(({ predecessor }) => predecessor)).toEqual([
      'none',
      'present',
      'present',
      'present',
    ]);
  });

  test('from which one is missing says which one misses it', async () => {
    const [first, , third, fourth] = chain;
    expect(await check([first, third, fourth])).toMatchObject([
      { verdict: 'valid' },
      { verdict: 'predecessor_missing', turnId: third?.turnId, place: '[1]' },
      { verdict: 'valid' },
    ]);
  });

  test('in which one was changed blames that one alone', async () => {
    const changed = chain.map((of, at) => (at === 1 ? { ...of, model: 'other' } : of));
    expect(await verdicts(changed)).toEqual(['valid', 'changed', 'valid', 'valid']);
    const resigned = chain.map((of, at) => (at === 1 ? { ...of, jws: chain[2]?.jws ?? '' } : of));
    expect(await verdicts(resigned)).toEqual(['valid', 'changed', 'valid', 'valid']);
  });

  test('in which one was replaced by another that the same key signed is broken behind it', async () => {
    const [, second] = chain;
    const other = await sign(signer, { ...(second as Receipt), model: 'other' });
    const replaced = chain.map((of, at) => (at === 1 ? other : of));
    expect(await verdicts(replaced)).toEqual(['valid', 'valid', 'predecessor_missing', 'valid']);
  });

  test('of which one receipt is shown alone is valid, with its predecessor left open', async () => {
    expect(await only(chain[2])).toMatchObject({ verdict: 'valid', predecessor: 'absent' });
  });

  test('keeps its numbers: the hash is that of the receipt before it was signed', async () => {
    const [first, second] = chain;
    const { jws: _jws, ...unsigned } = first as Receipt;
    expect(second?.previousReceiptSha256).toBe(sha256(toReceiptPayload(unsigned)));
  });
});
