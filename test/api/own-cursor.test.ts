// A reader that changes gateways brings what it was shown. Where that is not true any more it is told the whole, and
// ends with what is true.

import { describe, expect, test } from '@jest/globals';
import { startCursor } from '../../src/protocol/cursor.ts';
import { CandorError, toErrorInfo } from '../../src/protocol/errors.ts';
import type { SequencedEvent } from '../../src/protocol/events.ts';
import type { AgentId, ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { logHash, toCursorFrame } from '../../src/protocol/log-hash.ts';
import { applyEvents, cursorOf, emptyTranscript, eventsAfter, terminalOf } from '../../src/protocol/transcript.ts';
import { toOwnCursor } from '../../src/api/own-cursor.ts';

const envelope = {
  turnId: '11111111-1111-4111-8111-111111111111' as TurnId,
  conversationId: '22222222-2222-4222-8222-222222222222' as ConversationId,
  time: '2026-01-01T00:00:00.000Z',
};
const agentId = 'operator' as AgentId;
const accepted: SequencedEvent = { ...envelope, type: 'turn_accepted', seq: 1, agentId, text: 'why?' };
const started: SequencedEvent = { ...envelope, type: 'agent_started', seq: 2, agentId, model: 'm', context: [] };
const thinking: SequencedEvent = {
  ...{ ...envelope, type: 'agent_thinking', seq: 3, agentId, step: 1, attempt: 1 },
  ...{ maxAttempts: 4, model: 'm' },
};
const attemptFailed: SequencedEvent = {
  ...{ ...envelope, type: 'attempt_failed', seq: 4, agentId, step: 1, attempt: 1, maxAttempts: 4 },
  ...{ error: toErrorInfo('llm_empty_reply'), retryAt: envelope.time, discardedChars: 0 },
};
const failed: SequencedEvent = {
  ...{ ...envelope, type: 'turn_failed', seq: 4, error: toErrorInfo('turn_timeout'), receipt: null },
};
const before = applyEvents(emptyTranscript, [accepted, started, thinking]);
const provisional = applyEvents(before, [attemptFailed]);
const ended = applyEvents(before, [failed]);

describe('R62: a cursor with the hash of its log', () => {
  test('goes on where the log is the same', () => {
    expect(toOwnCursor(toCursorFrame(before), ended)).toEqual(cursorOf(before));
    expect(toOwnCursor(toCursorFrame(ended), ended)).toEqual(cursorOf(ended));
  });

  test('that counts a corrected event gets the whole, and its reader the end', () => {
    const cursor = toOwnCursor(toCursorFrame(provisional), ended);
    expect(cursor).toEqual(startCursor);
    expect(terminalOf(applyEvents(provisional, eventsAfter(ended, cursor)))?.type).toBe('turn_failed');
  });

  test('that is ahead of what is known gets the whole, in an open turn and in one that has ended', () => {
    expect(toOwnCursor(toCursorFrame(provisional), before)).toEqual(startCursor);
    const beyond = { seq: 9, streams: [], log: '00000000' };
    expect(toOwnCursor(beyond, ended)).toEqual(startCursor);
  });
});

describe('R37: a cursor without one', () => {
  test('is taken back to what is known while the turn is open', () => {
    expect(toOwnCursor(cursorOf(provisional), before)).toEqual({ seq: 3, streams: [] });
  });

  test('is refused when the ended turn cannot have given it', () => {
    expect(() =>
      toOwnCursor({ seq: 9 }, applyEvents(emptyTranscript, [accepted, { ...withReceipt(), seq: 2 }])),
    ).toThrow(CandorError);
  });
});

test('R62: the hash is FNV-1a over canonical JSON, a line feed behind each event', () => {
  expect(logHash([])).toBe('811c9dc5');
  expect(logHash([accepted])).toBe(fnv1a(`${JSON.stringify(sorted(accepted))}\n`));
  expect(logHash([accepted, started], 1)).toBe(logHash([accepted]));
  expect(logHash([{ ...accepted, text: 'wh🙂y?' }])).toBe(
    fnv1a(`${JSON.stringify(sorted({ ...accepted, text: 'wh🙂y?' }))}\n`),
  );
});

const sorted = (event: object): object =>
  Object.fromEntries(Object.entries(event).sort(([a], [b]) => (a < b ? -1 : 1)));

/** As it is written down, with numbers of any size. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5n;
  for (const byte of Buffer.from(text, 'utf8')) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
  return hash.toString(16).padStart(8, '0');
}

function withReceipt(): Extract<SequencedEvent, { type: 'turn_failed' }> {
  return {
    ...{ ...envelope, type: 'turn_failed', seq: 2, error: toErrorInfo('agent_not_found', { facts: { agent: 'x' } }) },
    receipt: {
      ...{ version: 1, turnId: envelope.turnId, conversationId: envelope.conversationId, agentId, outcome: 'failed' },
      ...{ model: null, backend: null, attempts: [], incomplete: true, promptSha256: null, answerSha256: null },
      ...{ previousReceiptSha256: null, issuedAt: envelope.time },
    },
  };
}
