// A message must not be lost between the key press and the gateway's word that it is accepted.

import { describe, expect, test } from '@jest/globals';
import type { ConversationId, TurnId, UserId } from '../../src/protocol/ids.ts';
import { createOutbox, type Outgoing } from '../../web/src/outbox.ts';
import { createMemoryStore } from './memory-store.ts';
import { agentId } from './turn-script.ts';

const message = (turnId: string, writtenAtMs: number, conversationId = 'c1'): Outgoing => ({
  turnId: turnId as TurnId,
  conversationId: conversationId as ConversationId,
  agentId,
  text: `text of ${turnId}`,
  writtenAtMs,
  accepted: false,
});
const ids = (messages: readonly Outgoing[]): readonly string[] => messages.map(({ turnId }) => turnId);

describe('the outbox', () => {
  test('survives a reload, and lists messages in the order in which they were written', () => {
    const entries = new Map<string, string>();
    const before = createOutbox(createMemoryStore(entries), 'local' as UserId);
    before.put(message('b', 2));
    before.put(message('a', 1));
    expect(ids(createOutbox(createMemoryStore(entries), 'local' as UserId).list())).toEqual(['a', 'b']);
  });

  test('keeps an accepted message until it is removed', () => {
    const outbox = createOutbox(createMemoryStore(), 'local' as UserId);
    outbox.put(message('a', 1));
    outbox.accept('a' as TurnId);
    expect(outbox.list()).toEqual([{ ...message('a', 1), accepted: true }]);
    outbox.remove('a' as TurnId);
    expect(outbox.list()).toEqual([]);
  });

  test('never gives one user the messages of another', () => {
    const store = createMemoryStore();
    createOutbox(store, 'alice' as UserId).put(message('a', 1));
    expect(createOutbox(store, 'bob' as UserId).list()).toEqual([]);
  });

  test('lets two tabs write at once', () => {
    const entries = new Map<string, string>();
    const one = createOutbox(createMemoryStore(entries), 'local' as UserId);
    const other = createOutbox(createMemoryStore(entries), 'local' as UserId);
    one.put(message('a', 1));
    other.put(message('b', 2));
    one.accept('a' as TurnId);
    expect(ids(one.list())).toEqual(['a', 'b']);
    expect(other.list()[0]?.accepted).toBe(true);
  });

  test('forgets the messages of a deleted conversation only', () => {
    const outbox = createOutbox(createMemoryStore(), 'local' as UserId);
    outbox.put(message('a', 1, 'c1'));
    outbox.put(message('b', 2, 'c2'));
    outbox.removeConversation('c1' as ConversationId);
    expect(ids(outbox.list())).toEqual(['b']);
  });

  test('accepting a message that is gone already brings nothing back', () => {
    const outbox = createOutbox(createMemoryStore(), 'local' as UserId);
    outbox.accept('a' as TurnId);
    expect(outbox.list()).toEqual([]);
  });
});
