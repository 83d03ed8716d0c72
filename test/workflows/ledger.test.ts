// The receipt says what was really called and what came of it, and nothing that did not happen.

import { describe, expect, test } from '@jest/globals';
import type { StreamFailure } from '../../src/protocol/activities.ts';
import { unknownUsage } from '../../src/protocol/receipt.ts';
import { createLedger, toStreamSummary } from '../../src/workflows/receipt.ts';
import { answered, newTurn, plan, ready, streamFailure } from '../../testing/turns/turn-fakes.ts';

const issuedAt = '2026-01-02T03:04:05.000Z';
const turn = newTurn();
const { turnId, conversationId, agentId } = turn;
const failure = (streamFailure('llm_timeout', { shownChars: 4 }).details as [StreamFailure])[0];

describe('a receipt', () => {
  test('of a turn that never called a model names none', () => {
    expect(createLedger(turn).receipt('failed', issuedAt)).toEqual({
      version: 1,
      ...{ turnId, conversationId, agentId, issuedAt },
      outcome: 'failed',
      model: null,
      backend: null,
      attempts: [],
      incomplete: true,
      promptSha256: null,
      answerSha256: null,
      previousReceiptSha256: null,
    });
  });

  test('of an answer after a failed try lists both, each with its own facts', () => {
    const ledger = createLedger(turn);
    ledger.agentReady({ ...ready(), previousReceiptSha256: 'e'.repeat(64) });
    ledger.failed(1, 1, failure);
    ledger.answered(1, 2, answered());
    expect(ledger.receipt('completed', issuedAt)).toMatchObject({
      model: 'fake-model-2026',
      backend: 'http://127.0.0.1:1',
      incomplete: false,
      promptSha256: 'a'.repeat(64),
      answerSha256: 'b'.repeat(64),
      previousReceiptSha256: 'e'.repeat(64),
      attempts: [
        { step: 1, attempt: 1, outcome: 'failed', errorCode: 'llm_timeout', responseId: null, usage: unknownUsage },
        {
          step: 1,
          attempt: 2,
          outcome: 'answered',
          errorCode: null,
          responseId: 'response-1',
          finishReason: 'stop',
          usage: { promptTokens: 10, completionTokens: 5, totalTokens: 15 },
        },
      ],
    });
  });

  test.each([
    ['a whole answer', answered(), 'completed', false, true],
    [
      'an answer cut at a limit of length',
      answered({ incomplete: true, finishReason: 'length' }),
      'completed',
      true,
      true,
    ],
    [
      'a stop with text',
      answered({ outcome: 'stopped', incomplete: true, upstreamClosedAt: issuedAt }),
      'cancelled',
      true,
      true,
    ],
    [
      'a stop before any text',
      answered({ outcome: 'stopped', incomplete: true, text: '', upstreamClosedAt: issuedAt }),
      'cancelled',
      true,
      false,
    ],
    ['an answer that could not be stored', answered(), 'failed', true, false],
  ] as const)('of %s', (_, reply, outcome, incomplete, hasAnswer) => {
    const ledger = createLedger(turn);
    ledger.answered(1, 1, reply);
    const { incomplete: isIncomplete, answerSha256 } = ledger.receipt(outcome, issuedAt);
    expect({ isIncomplete, answerSha256 }).toEqual({
      isIncomplete: incomplete,
      answerSha256: hasAnswer ? reply.sha256 : null,
    });
  });

  test('of a stop before a connection was open lists no call: none was made', () => {
    const ledger = createLedger(turn);
    ledger.answered(1, 1, answered({ outcome: 'stopped', text: '', upstreamClosedAt: null }));
    expect(ledger.receipt('cancelled', issuedAt)).toMatchObject({ attempts: [], backend: null, model: null });
  });

  test('keeps the backend of an earlier failure when a later one knows none', () => {
    const ledger = createLedger(turn);
    ledger.failed(1, 1, failure);
    ledger.failed(1, 2, { ...failure, backend: null });
    expect(ledger.receipt('failed', issuedAt).backend).toBe(failure.backend);
  });

  test('does not change after it was issued', () => {
    const ledger = createLedger(turn);
    const issued = ledger.receipt('failed', issuedAt);
    ledger.answered(1, 1, answered());
    expect(issued.attempts).toEqual([]);
  });
});

describe('the texts of a turn', () => {
  test('are those of calls that replied, reasoning included, and no empty one', () => {
    const ledger = createLedger(turn);
    ledger.failed(1, 1, failure);
    ledger.answered(1, 2, answered({ text: '', reasoning: '' }));
    ledger.answered(1, 3, answered({ text: '', reasoning: 'hm' }));
    ledger.answered(2, 1, answered());
    expect(ledger.texts.map(({ step, attempt, text, reasoning }) => [step, attempt, text, reasoning])).toEqual([
      [1, 3, '', 'hm'],
      [2, 1, 'Restart it with conman.', ''],
    ]);
  });
});

test('the summary of a call for Temporal UI holds numbers and names only', () => {
  expect(toStreamSummary(plan, 2, 3)).toBe('step 2, try 3 of 4 · fake-model');
});
