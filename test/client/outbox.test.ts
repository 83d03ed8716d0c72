// A message must not be lost between the key press and the gateway's word that it is accepted.

import { describe, expect, test } from '@jest/globals';
import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { createStorageOutbox, type Outgoing } from '../../src/client/index.ts';
import { createMemoryStore } from '../web/memory-store.ts';
import { agentId } from '../web/turn-script.ts';

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
    const before = createStorageOutbox(createMemoryStore(entries), 'local');
    before.put(message('b', 2));
    before.put(message('a', 1));
    expect(ids(createStorageOutbox(createMemoryStore(entries), 'local').list())).toEqual(['a', 'b']);
  });

  test('keeps an accepted message until it is removed', () => {
    const outbox = createStorageOutbox(createMemoryStore(), 'local');
    outbox.put(message('a', 1));
    outbox.accept('a' as TurnId);
    expect(outbox.list()).toEqual([{ ...message('a', 1), accepted: true }]);
    outbox.remove('a' as TurnId);
    expect(outbox.list()).toEqual([]);
  });

  test('never gives one user the messages of another', () => {
    const store = createMemoryStore();
    createStorageOutbox(store, 'alice').put(message('a', 1));
    expect(createStorageOutbox(store, 'bob').list()).toEqual([]);
  });

  test('lets two tabs write at once', () => {
    const entries = new Map<string, string>();
    const one = createStorageOutbox(createMemoryStore(entries), 'local');
    const other = createStorageOutbox(createMemoryStore(entries), 'local');
    one.put(message('a', 1));
    other.put(message('b', 2));
    one.accept('a' as TurnId);
    expect(ids(one.list())).toEqual(['a', 'b']);
    expect(other.list()[0]?.accepted).toBe(true);
  });

  test('accepting a message that is gone already brings nothing back', () => {
    const outbox = createStorageOutbox(createMemoryStore(), 'local');
    outbox.accept('a' as TurnId);
    expect(outbox.list()).toEqual([]);
  });
});
