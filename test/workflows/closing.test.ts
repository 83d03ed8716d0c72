// The last events of a turn: made by one function in the workflow and in the store, so that both have the same log.

import { describe, expect, test } from '@jest/globals';
import { closingEvents, type TerminalDraft } from '../../src/protocol/closing.ts';
import { toErrorInfo } from '../../src/protocol/errors.ts';
import type { LoggedEvent } from '../../src/protocol/turn.ts';
import { agentId, newTurn } from '../../testing/turns/turn-fakes.ts';

const turn = newTurn();
const { turnId, conversationId } = turn;
const closedAt = '2026-01-02T03:04:05.678Z';
const envelope = { turnId, conversationId, time: closedAt };
const before: LoggedEvent[] = [1, 2].map((seq) => ({
  type: 'turn_accepted',
  ...envelope,
  time: '2026-01-02T03:04:00.000Z',
  seq,
  agentId,
  text: 'x',
}));
const failed: TerminalDraft = { type: 'turn_failed', error: toErrorInfo('llm_auth'), receipt: null };

describe('the closing events', () => {
  test('of a turn with text: stored, audit started, the end; all at the time of the store', () => {
    expect(closingEvents(turn, before, failed, true, closedAt)).toEqual([
      { type: 'conversation_stored', ...envelope, seq: 3, storedAt: closedAt },
      { type: 'audit_started', ...envelope, seq: 4, auditId: `audit/${turnId}` },
      { ...failed, ...envelope, seq: 5 },
    ]);
  });

  test('of a turn without text: the end alone', () => {
    expect(closingEvents(turn, before, failed, false, closedAt)).toEqual([{ ...failed, ...envelope, seq: 3 }]);
  });

  test('hold nothing of the turn but its ids', () => {
    const texts = JSON.stringify(closingEvents(turn, [], failed, true, closedAt));
    expect(texts).not.toContain(turn.text);
    expect(texts).not.toContain(turn.userId);
  });
});
