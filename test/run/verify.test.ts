// `candor verify` as a person runs it: a process of its own, files, and nothing else. No server of the product is asked.

import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { ReceiptSigner } from '../../src/protocol/ports.ts';
import type { Receipt } from '../../src/protocol/receipt.ts';
import { loadReceiptKey } from '../../src/receipts/receipt-key.ts';
import type { Verification } from '../../src/receipts/verdict.ts';
import { answer, newReceipt, newSigner, sha256, sign, signChain } from '../receipts/receipts-under-test.ts';
import { createHome, run, type Home } from './launch.ts';

jest.setTimeout(120_000);

let home: Home;
let signer: ReceiptSigner;
let receipt: Receipt;
beforeAll(async () => {
  home = await createHome();
  signer = await loadReceiptKey(join(home.dataDir, 'receipt-key.json'));
  receipt = await sign(signer, newReceipt());
});
afterAll(() => home.remove());

async function save(name: string, content: unknown): Promise<string> {
  const path = join(home.cwd, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return path;
}

/** The exit code and what `--json` prints. */
async function verdictsOf(document: unknown, ...options: string[]) {
  const { code, output } = await run(home, ['verify', await save('document.json', document), '--json', ...options]);
  const { valid, receipts } = JSON.parse(output) as Verification;
  return { code, valid, receipts };
}

describe('candor verify', () => {
  test('says in words what a receipt proves', async () => {
    const { code, output } = await run(home, ['verify', await save('receipt.json', receipt)]);
    expect(code).toBe(0);
    const { turnId, conversationId } = receipt;
    expect(output.trim().split('\n')).toEqual([
      `VALID  turn ${turnId}`,
      '  it is as it was signed',
      '  outcome   completed',
      `  agent     operator in conversation ${conversationId}`,
      '  model     wire-model',
      '  backend   http://127.0.0.1:8081',
      '  call 1.1  failed, llm_unavailable, tokens unknown',
      '  call 1.2  answered, stop, response chatcmpl-1, tokens 120 in, 9 out, 129 in all',
      `  prompt    sha256 ${'a'.repeat(64)}`,
      `  answer    sha256 ${sha256(answer)}, no text was compared`,
      '  previous  none, it begins its conversation',
      '  issued    2026-01-02T03:04:05.678Z',
      `  key       ${signer.publicKey.kid}`,
      '',
      '1 receipt: 1 valid',
    ]);
  });

  test('takes the published keys, and then needs no data folder', async () => {
    const keys = await save('keys.json', { keys: [(await newSigner()).publicKey, signer.publicKey] });
    const elsewhere = { CANDOR_DATA_DIR: join(home.cwd, 'nothing') };
    const { code, output } = await run(
      home,
      ['verify', await save('receipt.json', receipt), '--keys', keys],
      elsewhere,
    );
    expect([code, output.trim().split('\n').at(-1)]).toEqual([0, '1 receipt: 1 valid']);
    await expect(stat(elsewhere.CANDOR_DATA_DIR)).rejects.toThrow('ENOENT');
  });

  test('tells a changed character, another key, a changed answer and a missing predecessor apart', async () => {
    const stranger = await newSigner();
    const [first, , third] = await signChain(signer, 3);
    const altered = { ...receipt, model: 'wire-modeL' };
    const found = await verdictsOf([altered, await sign(stranger, newReceipt()), first, third, newReceipt()]);
    expect(found).toMatchObject({
      code: 1,
      valid: false,
      receipts: [
        { verdict: 'changed', field: 'model', reason: 'model is "wire-modeL", "wire-model" was signed' },
        { verdict: 'unknown_key', kid: stranger.publicKey.kid },
        { verdict: 'valid' },
        { verdict: 'predecessor_missing', turnId: third?.turnId },
        { verdict: 'unsigned' },
      ],
    });
    const text = await save('answer.txt', `${answer}!`);
    expect(await verdictsOf(receipt, '--answer', text)).toMatchObject({
      code: 1,
      receipts: [{ verdict: 'answer_changed' }],
    });
  });

  test('compares a text with the answer', async () => {
    const text = await save('answer.txt', answer);
    expect(await verdictsOf(receipt, '--answer', text)).toMatchObject({ code: 0, receipts: [{ answer: 'fits' }] });
    const chain = await save('chain.json', await signChain(signer, 2));
    expect(await run(home, ['verify', chain, '--answer', text])).toMatchObject({
      code: 2,
      output: expect.stringMatching(/^unable to compare .* 2 receipts, not one\n$/),
    });
  });

  test('is not fooled by what a receipt would tell a terminal', async () => {
    const name = '\u001b[2J\u001b[31mVALID\u0007';
    const odd = await save('odd.json', { ...receipt, turnId: name, model: name });
    const { code, output } = await run(home, ['verify', odd]);
    expect(code).toBe(1);
    expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(output.trim().split('\n').at(-1)).toBe('1 receipt: 1 changed');
  });

  test('ends with 2 for what it cannot read, in one sentence', async () => {
    const whole = await save('receipt.json', receipt);
    const broken = await save('broken.json', '{"version": 1');
    const said = async (...args: string[]): Promise<string> => {
      const { code, output } = await run(home, ['verify', ...args]);
      expect(code).toBe(2);
      expect(output).not.toMatch(/\n +at /);
      return output;
    };
    expect(await said(join(home.cwd, 'absent.json'))).toMatch(/^unable to read .*absent\.json; ENOENT\n$/);
    expect(await said(broken)).toMatch(/^UNREADABLE\n {2}it holds no JSON\n/);
    expect(await said(whole, '--keys', broken)).toMatch(
      /^unable to use the keys of .*broken\.json; it holds no JSON\n$/,
    );
    const key = join(home.dataDir, 'receipt-key.json');
    const kept = await readFile(key, 'utf8');
    await rm(key);
    expect(await said(whole)).toMatch(/^unable to verify; there is no key at .*--keys.*candor-keys\.json/);
    await writeFile(key, kept, { mode: 0o644 });
    expect(await said(whole)).toMatch(/^unable to use the receipt key; .*mode 644/);
    await rm(key);
    await writeFile(key, kept, { mode: 0o600 });
  });
});
