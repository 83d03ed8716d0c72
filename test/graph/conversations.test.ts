import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Graph } from '../../src/graph/neo4j.ts';
import type { ConversationId } from '../../src/protocol/ids.ts';
import { endOf, exchange, link, newTurn, newUserId, nextTurn, openGraph } from './graph-under-test.ts';

let graph: Graph;
beforeAll(async () => {
  graph = await openGraph();
});
afterAll(() => graph.close());

const notThere = { code: 'conversation_not_found' };

describe('the list of conversations', () => {
  test('comes newest first, page by page, each once, only the caller’s', async () => {
    const userId = newUserId();
    await exchange(graph, newTurn());
    const expected: ConversationId[] = [];
    for (let count = 0; count < 7; count += 1) {
      const turn = newTurn({ userId });
      await link(graph, turn);
      // Three share a time, so that the order between equals is proved too.
      await graph.storeTurn(endOf(turn, { storedAt: `2026-03-0${Math.min(count, 4) + 1}T00:00:00.000Z` }));
      expected.unshift(turn.conversationId);
    }
    const seen: ConversationId[] = [];
    let next: string | null = null;
    const sizes: number[] = [];
    do {
      const page: Awaited<ReturnType<Graph['conversations']>> = await graph.conversations(userId, 3, next);
      seen.push(...page.items.map((item) => item.conversationId));
      sizes.push(page.items.length);
      next = page.next;
    } while (next !== null);
    expect(sizes).toEqual([3, 3, 1]);
    expect(seen.slice(3)).toEqual(expected.slice(3));
    expect(new Set(seen)).toEqual(new Set(expected));
  });

  test('of exactly one page has no next', async () => {
    const userId = newUserId();
    for (let count = 0; count < 2; count += 1) await exchange(graph, newTurn({ userId }));
    expect((await graph.conversations(userId, 2, null)).next).toBeNull();
    expect(await graph.conversations(newUserId(), 2, null)).toEqual({ items: [], next: null });
  });

  test.each(['', 'nonsense', 'eyJhIjoxfQ', Buffer.from('[1,2]').toString('base64url')])(
    'a mark that is not ours (%j) is an invalid request',
    async (next) => {
      await expect(graph.conversations(newUserId(), 2, next)).rejects.toMatchObject({ code: 'invalid_request' });
    },
  );
});

describe('a conversation', () => {
  test('has its turns in the order in which they were linked', async () => {
    const first = newTurn();
    const turns = [first, nextTurn(first), nextTurn(first), nextTurn(first)];
    for (const turn of turns) await link(graph, turn);
    expect((await graph.turns(first.conversationId)).map((turn) => turn.turnId)).toEqual(
      turns.map((turn) => turn.turnId),
    );
  });

  test('of another user can be neither seen, nor renamed, nor deleted', async () => {
    const { userId, conversationId } = await exchange(graph, newTurn());
    const other = newUserId();
    expect(await graph.conversation(other, conversationId)).toBeNull();
    await expect(graph.renameConversation(other, conversationId, 'x')).rejects.toMatchObject(notThere);
    await expect(graph.deleteConversation(other, conversationId)).rejects.toMatchObject(notThere);
    expect(await graph.conversation(userId, conversationId)).not.toBeNull();
  });

  test('can be renamed', async () => {
    const { userId, conversationId } = await exchange(graph, newTurn());
    await graph.renameConversation(userId, conversationId, 'another title');
    expect((await graph.conversation(userId, conversationId))?.title).toBe('another title');
  });

  test('that is deleted is gone with its turns and prompts, also for a turn that still runs', async () => {
    const first = await exchange(graph, newTurn());
    const open = nextTurn(first);
    await link(graph, open);
    await graph.savePrompt(open.turnId, { messages: [], sha256: 's', context: [] });
    await graph.deleteConversation(first.userId, first.conversationId);
    expect(await graph.conversation(first.userId, first.conversationId)).toBeNull();
    expect(await graph.turns(first.conversationId)).toEqual([]);
    expect(await graph.turn(first.turnId)).toBeNull();
    expect(await graph.readPrompt(open.turnId)).toBeNull();
    await graph.storeTurn(endOf(open));
    expect(await graph.turn(open.turnId)).toBeNull();
    await expect(graph.deleteConversation(first.userId, first.conversationId)).rejects.toMatchObject(notThere);
  });

  test('that is deleted while its turn ends is gone: whoever came too late may try again and finds nothing', async () => {
    for (let round = 0; round < 10; round += 1) {
      const turn = newTurn();
      const end = endOf(turn);
      await link(graph, turn);
      const settled = await Promise.allSettled([
        graph.storeTurn(end),
        graph.savePrompt(turn.turnId, { messages: [], sha256: 's', context: [] }),
        graph.deleteConversation(turn.userId, turn.conversationId),
      ]);
      for (const one of settled) {
        if (one.status === 'rejected') expect(['graph_unavailable', 'turn_not_found']).toContain(codeOf(one.reason));
      }
      if (settled[2].status === 'rejected') await graph.deleteConversation(turn.userId, turn.conversationId);
      expect(await graph.storeTurn(end)).toEqual({ storedAt: end.storedAt });
      expect(await graph.turn(turn.turnId)).toBeNull();
      expect(await graph.readPrompt(turn.turnId)).toBeNull();
    }
  });
});

const codeOf = (reason: unknown): unknown => (reason as { code?: unknown }).code;
