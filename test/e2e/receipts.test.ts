// Receipts through the whole product, checked as a stranger would: with the published keys, by a JOSE library alone and by
// `candor verify`'s own reading.

import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { CandorError } from '../../src/protocol/errors.ts';
import { turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import type { Receipt } from '../../src/protocol/receipt.ts';
import { terminalOf } from '../../src/protocol/transcript.ts';
import { parseKeySet } from '../../src/receipts/key-set.ts';
import { verifyDocument } from '../../src/receipts/verify.ts';
import type { Graph } from '../../src/graph/neo4j.ts';
import { answer, createValve, refuse, type Behaviour } from '../../testing/upstream/upstream.ts';
import { newConversationId, newTurnId, startStack, type Stack, type StackOptions } from '../stack.ts';

const keysPath = '/.well-known/candor-keys.json';
const chunks = ['A job is ', 'restarted with ', '`conman rr` 🙂', ' [RB-001].'];

let folder: string;
let stack: Stack;
const started: Stack[] = [];
const start = async (options: StackOptions = {}): Promise<Stack> => {
  const another = await startStack(options);
  started.push(another);
  return another;
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'candor-receipt-keys-'));
  stack = await startStack({ receiptKeyFile: join(folder, 'first.json') });
});
afterEach(async () => {
  for (const another of started.splice(0)) await another.close();
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

/** Without a token, as anybody. */
const publishedKeys = async (of: Stack): Promise<string> => (await fetch(`${of.url}${keysPath}`)).text();

/** What the signature says, by a library that knows nothing of Candor. */
async function readByLibrary(receipt: Receipt, keys: string): Promise<unknown> {
  const keySet = createLocalJWKSet(JSON.parse(keys) as JSONWebKeySet);
  const { payload } = await compactVerify(receipt.jws ?? '', keySet, { algorithms: ['EdDSA'] });
  return JSON.parse(new TextDecoder().decode(payload));
}

const verdictsOf = async (document: unknown, keys: string): Promise<readonly string[]> => {
  const { receipts } = await verifyDocument(JSON.stringify(document), await parseKeySet(keys), null);
  return receipts.map(({ verdict }) => verdict);
};

async function ask(of: Stack, turnId: TurnId, conversationId = newConversationId(), ...behaviours: Behaviour[]) {
  of.upstream.chat.enqueue(...behaviours);
  const ada = await of.connect();
  ada.message(turnId, conversationId, 'How do I restart a job in TWS?');
  const terminal = terminalOf(await ada.untilEnd(turnId));
  ada.close();
  if (terminal?.receipt == null) throw new Error('the turn ended without a receipt');
  return { terminal, receipt: terminal.receipt };
}
const get = async (of: Stack, path: string): Promise<Record<string, unknown>> =>
  (await (await of.fetch(path)).json()) as Record<string, unknown>;

describe('every end has a receipt that a stranger can check', () => {
  test('a completed turn: in the event, over REST, in the graph, the same (A11, C21)', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    const { terminal, receipt } = await ask(stack, turnId, conversationId, refuse(503), answer(chunks));
    const keys = await publishedKeys(stack);
    const { jws: _jws, ...claimed } = receipt;
    expect(await readByLibrary(receipt, keys)).toEqual(claimed);
    expect(receipt).toMatchObject({
      ...{ version: 1, turnId, conversationId, agentId: 'operator', outcome: 'completed', incomplete: false },
      ...{ model: 'wire-model', backend: new URL(stack.upstream.url).origin, previousReceiptSha256: null },
      answerSha256: createHash('sha256').update(chunks.join('')).digest('hex'),
      promptSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      attempts: [
        {
          ...{ step: 1, attempt: 1, outcome: 'failed', errorCode: 'llm_unavailable' },
          usage: { promptTokens: null, completionTokens: null, totalTokens: null },
        },
        {
          ...{ step: 1, attempt: 2, outcome: 'answered', errorCode: null, finishReason: 'stop' },
          responseId: expect.any(String),
          usage: { promptTokens: expect.any(Number), completionTokens: expect.any(Number) },
        },
      ],
    });
    const view = await get(stack, `/api/turns/${turnId}`);
    const conversation = await get(stack, `/api/conversations/${conversationId}`);
    expect(view['receipt']).toEqual(receipt);
    expect(conversation).toMatchObject({ turns: [{ receipt }] });
    for (const document of [receipt, terminal, view, conversation]) {
      expect(await verdictsOf(document, keys)).toEqual(['valid']);
    }
    expect(await verdictsOf({ ...view, answer: 'By hand.' }, keys)).toEqual(['answer_changed']);
  });

  test('a failed turn', async () => {
    const turnId = newTurnId();
    const { terminal, receipt } = await ask(stack, turnId, newConversationId(), refuse(401));
    expect(terminal.type).toBe('turn_failed');
    expect(receipt).toMatchObject({ outcome: 'failed', incomplete: true, answerSha256: null, model: null });
    const keys = await publishedKeys(stack);
    expect(await verdictsOf([terminal], keys)).toEqual(['valid']);
    expect(await verdictsOf(await get(stack, `/api/turns/${turnId}`), keys)).toEqual(['valid']);
  });

  test('a cancelled turn, with the text that had come', async () => {
    const [turnId, valve] = [newTurnId(), createValve()];
    stack.upstream.chat.enqueue(answer(chunks, { valve }));
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), 'How do I restart a job in TWS?');
    valve.pass(2);
    await ada.until((frame) => frame.type === 'delta' && frame.turnId === turnId);
    ada.send({ type: 'cancel', turnId });
    const terminal = terminalOf(await ada.untilEnd(turnId));
    expect(terminal).toMatchObject({ type: 'turn_cancelled', receipt: { outcome: 'cancelled', incomplete: true } });
    const keys = await publishedKeys(stack);
    const view = await get(stack, `/api/turns/${turnId}`);
    expect(view['answer']).toMatch(/^A job is/);
    expect(await verdictsOf(terminal, keys)).toEqual(['valid']);
    expect(await verdictsOf(view, keys)).toEqual(['valid']);
    expect(await verdictsOf({ ...view, answer: 'A job' }, keys)).toEqual(['answer_changed']);
  });

  test('a turn that was never linked: a conversation of somebody else', async () => {
    const conversationId = newConversationId();
    await ask(stack, newTurnId(), conversationId, answer(chunks));
    const eve = await stack.connect({ user: 'eve' });
    const turnId = newTurnId();
    eve.message(turnId, conversationId, 'What did Ada ask?');
    const terminal = terminalOf(await eve.untilEnd(turnId));
    expect(terminal).toMatchObject({ type: 'turn_failed', error: { code: 'conversation_not_found' } });
    expect(await verdictsOf(terminal, await publishedKeys(stack))).toEqual(['valid']);
  });

  test('three turns are a chain, and one that is taken out is missed', async () => {
    const conversationId = newConversationId();
    const [first, second, third] = [newTurnId(), newTurnId(), newTurnId()];
    await ask(stack, first, conversationId, answer(chunks));
    await ask(stack, second, conversationId, answer(chunks));
    await ask(stack, third, conversationId, answer(chunks));
    const keys = await publishedKeys(stack);
    const conversation = await get(stack, `/api/conversations/${conversationId}`);
    expect(await verdictsOf(conversation, keys)).toEqual(['valid', 'valid', 'valid']);
    const without = (turnId: TurnId) => ({
      ...conversation,
      turns: (conversation['turns'] as { turnId: TurnId }[]).filter((turn) => turn.turnId !== turnId),
    });
    expect(await verdictsOf(without(second), keys)).toEqual(['valid', 'predecessor_missing']);
    expect(await verdictsOf(without(first), keys)).toEqual(['predecessor_missing', 'valid']);
  });

  test('the signature stands once in history, made in one local activity, and the private key nowhere', async () => {
    const turnId = newTurnId();
    await ask(stack, turnId, newConversationId(), answer(chunks));
    const handle = stack.client.workflow.getHandle(turnWorkflowId(turnId));
    const { events } = await handle.fetchHistory();
    const markers = (events ?? []).flatMap((event) => event.markerRecordedEventAttributes?.markerName ?? []);
    expect(markers.filter((name) => name === 'core_local_activity')).toHaveLength(1);
    const payloads = JSON.stringify(events).replaceAll('\\', '');
    const { d } = JSON.parse(await readFile(join(folder, 'first.json'), 'utf8')) as { d: string };
    const secrets = [d, Buffer.from(d, 'base64url').toString('base64')];
    for (const secret of secrets) expect(payloads).not.toContain(secret);
  });
});

describe('the published keys', () => {
  test('are open to everybody, and may be kept for a while', async () => {
    const response = await fetch(`${stack.url}${keysPath}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/);
    expect(response.headers.get('content-type')).toContain('json');
    const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
      expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' });
    }
  });

  test('of two workers are served by the gateway of either, and each one’s receipts verify', async () => {
    const other = await start({ receiptKeyFile: join(folder, 'second.json') });
    const mine = await ask(stack, newTurnId(), newConversationId(), answer(chunks));
    const theirs = await ask(other, newTurnId(), newConversationId(), answer(chunks));
    const [here, there] = [await publishedKeys(stack), await publishedKeys(other)];
    expect(JSON.parse(here)).toEqual(JSON.parse(there));
    expect(await verdictsOf(mine.receipt, there)).toEqual(['valid']);
    expect(await verdictsOf(theirs.receipt, here)).toEqual(['valid']);
    const { publicKey } = stack.options.worker?.signer ?? {};
    expect(await verdictsOf(theirs.receipt, JSON.stringify({ keys: [publicKey] }))).toEqual(['unknown_key']);
  });

  test('stay when their worker is gone, and a restart signs with the same key', async () => {
    const receiptKeyFile = join(folder, 'third.json');
    const before = await startStack({ receiptKeyFile });
    const { receipt } = await ask(before, newTurnId(), newConversationId(), answer(chunks));
    await before.close();
    expect(await verdictsOf(receipt, await publishedKeys(stack))).toEqual(['valid']);
    const after = await start({ receiptKeyFile });
    const again = await ask(after, newTurnId(), newConversationId(), answer(chunks));
    const kidOf = ({ jws = '' }: Receipt): unknown =>
      (JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString('utf8')) as { kid: string }).kid;
    expect(kidOf(again.receipt)).toBe(kidOf(receipt));
  });

  test('are said to be out of reach when the graph is, unless they were read before', async () => {
    let isAway = true;
    const graph = (inner: Graph): Graph => ({
      ...inner,
      receiptKeys: async () => {
        if (isAway) throw new CandorError('graph_unavailable');
        return inner.receiptKeys();
      },
    });
    const other = await start({ roles: 'gateway', decorate: { graph } });
    const refused = await fetch(`${other.url}${keysPath}`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ code: 'graph_unavailable' });
    isAway = false;
    const keys = await publishedKeys(other);
    isAway = true;
    expect(await publishedKeys(other)).toBe(keys);
  });
});
