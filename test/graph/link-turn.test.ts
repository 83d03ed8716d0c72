import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Graph } from '../../src/graph/neo4j.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import { maxQueuedTurns } from '../../src/protocol/limits.ts';
import type { OpenTurnMark } from '../../src/protocol/ports.ts';
import type { TurnInput } from '../../src/protocol/turn.ts';
import {
  behindOf,
  endOf,
  exchange,
  failureOf,
  link,
  newConversationId,
  newTurn,
  newTurnId,
  newUserId,
  nextTurn,
  openGraph,
} from './graph-under-test.ts';

let graph: Graph;
beforeAll(async () => {
  graph = await openGraph();
});
afterAll(() => graph.close());

const conversationOf = ({ userId, conversationId }: TurnInput) => graph.conversation(userId, conversationId);

describe('the first message of a conversation', () => {
  test('creates it for its sender and goes at once', async () => {
    const turn = newTurn({ text: '  How do I restart a job?\nIt is urgent.' });
    expect(await link(graph, turn)).toEqual({ kind: 'linked', parentTurnId: null, previousReceiptSha256: null });
    expect(await conversationOf(turn)).toMatchObject({
      conversationId: turn.conversationId,
      title: 'How do I restart a job?',
      agentId: 'operator',
      leaf: turn.turnId,
    });
    expect(await graph.turn(turn.turnId)).toMatchObject({
      turnId: turn.turnId,
      conversationId: turn.conversationId,
      userId: turn.userId,
      agentId: 'operator',
      parentTurnId: null,
      text: turn.text,
      contentSha256: turn.contentSha256,
      result: null,
      steps: [],
      audit: null,
    });
  });

  test('gives a title of at most 80 units, with no half of a character', async () => {
    const turn = newTurn({ text: `${'a'.repeat(79)}😀 and more` });
    await link(graph, turn);
    expect((await conversationOf(turn))?.title).toBe('a'.repeat(79));
  });
});

describe('messages that arrive together', () => {
  test('into a new conversation make one conversation and one chain; one goes, nobody waits for itself', async () => {
    const first = newTurn();
    const crowd = [first, ...Array.from({ length: maxQueuedTurns }, () => nextTurn(first))];
    const results = await Promise.all(crowd.map((turn) => link(graph, turn)));

    expect(results.filter((result) => result.kind === 'linked')).toHaveLength(1);
    const behind = results.map(behindOf);
    crowd.forEach((turn, index) => expect(behind[index]).not.toBe(turn.turnId));
    const waitedFor = behind.filter((turnId) => turnId !== null);
    expect(new Set(waitedFor).size).toBe(maxQueuedTurns);
    expect(await graph.turns(first.conversationId)).toHaveLength(crowd.length);
    expect((await graph.conversations(first.userId, 10, null)).items).toHaveLength(1);
  });

  test('20 of them: the running one and 10 that wait are linked, the others find it full', async () => {
    const first = newTurn();
    const crowd = [first, ...Array.from({ length: 19 }, () => nextTurn(first))];
    const kinds = (await Promise.all(crowd.map((turn) => link(graph, turn)))).map((result) => result.kind);
    expect(kinds.filter((kind) => kind === 'linked')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'busy')).toHaveLength(maxQueuedTurns);
    expect(kinds.filter((kind) => kind === 'full')).toHaveLength(19 - maxQueuedTurns);
    expect(await graph.turns(first.conversationId)).toHaveLength(1 + maxQueuedTurns);
  });

  test('of two users, only the one who came first owns the conversation', async () => {
    const conversationId = newConversationId();
    const turns = Array.from({ length: 6 }, () => newTurn({ conversationId }));
    const settled = await Promise.allSettled(turns.map((turn) => link(graph, turn)));
    expect(settled.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    for (const one of settled) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'conversation_not_found' });
    }
  });

  test('the same message many times at once is linked once', async () => {
    const turn = newTurn();
    const results = await Promise.all(Array.from({ length: 12 }, () => link(graph, turn)));
    for (const result of results) expect(result.kind).toBe('linked');
    expect(await graph.turns(turn.conversationId)).toHaveLength(1);
  });
});

describe('a link whose reply was lost', () => {
  test('of a free turn is free again', async () => {
    const before = await exchange(graph, newTurn());
    const turn = nextTurn(before);
    const once = await link(graph, turn);
    expect(await link(graph, turn)).toEqual(once);
    expect(once).toEqual({
      kind: 'linked',
      parentTurnId: before.turnId,
      previousReceiptSha256: `receipt of ${before.turnId}`,
    });
  });

  test('of a queued turn waits for the same predecessor, also when others are queued behind it', async () => {
    const running = newTurn();
    const queued = nextTurn(running);
    await link(graph, running);
    await link(graph, queued);
    await link(graph, nextTurn(running));
    expect(await link(graph, queued)).toEqual({ kind: 'busy', behind: running.turnId, linked: true });
  });

  test('after the predecessor was withdrawn, waits for the one that still runs', async () => {
    const [running, withdrawn, last] = await queueOfThree();
    await graph.storeTurn(failureOf(withdrawn, { outcome: 'cancelled', errorCode: null }));
    expect(behindOf(await link(graph, last))).toBe(running.turnId);
  });

  test('of a turn that has ended meanwhile gives its end', async () => {
    const turn = await exchange(graph, newTurn());
    const { outcome, log } = endOf(turn);
    expect(await link(graph, turn)).toEqual({ kind: 'finished', result: { outcome, log } });
  });
});

async function queueOfThree(): Promise<readonly [TurnInput, TurnInput, TurnInput]> {
  const running = newTurn();
  const second = nextTurn(running);
  const third = nextTurn(running);
  for (const turn of [running, second, third]) await link(graph, turn);
  return [running, second, third];
}

describe('a message into a busy conversation', () => {
  test('waits for the turn before it', async () => {
    const [running, second, third] = await queueOfThree();
    expect(behindOf(await link(graph, second))).toBe(running.turnId);
    expect(behindOf(await link(graph, third))).toBe(second.turnId);
  });

  test('is not linked with busy=reject, and leaves nothing', async () => {
    const running = newTurn();
    await link(graph, running);
    const rejected = nextTurn(running, { busy: 'reject' });
    expect(await link(graph, rejected)).toEqual({ kind: 'busy', behind: running.turnId, linked: false });
    expect(await graph.turn(rejected.turnId)).toBeNull();
    expect((await conversationOf(running))?.leaf).toBe(running.turnId);
  });

  test('goes with busy=reject once the turn that it met turns out to be gone', async () => {
    const dead = newTurn();
    await link(graph, dead);
    const turn = nextTurn(dead, { busy: 'reject' });
    expect(await link(graph, turn, dead.turnId, true)).toMatchObject({ kind: 'linked' });
    expect((await graph.turn(dead.turnId))?.result?.outcome).toBe('failed');
  });

  test('waits for the running turn when the one between was withdrawn', async () => {
    const running = newTurn();
    const withdrawn = nextTurn(running);
    await link(graph, running);
    await link(graph, withdrawn);
    await graph.storeTurn(failureOf(withdrawn, { outcome: 'cancelled', errorCode: null }));
    expect(behindOf(await link(graph, nextTurn(running)))).toBe(running.turnId);
  });

  test('a full queue has room again when a turn has ended', async () => {
    const running = newTurn();
    await link(graph, running);
    for (let queued = 0; queued < maxQueuedTurns; queued += 1) await link(graph, nextTurn(running));
    const late = nextTurn(running, { busy: 'interrupt' });
    expect(await link(graph, late)).toEqual({ kind: 'full' });
    expect(await graph.turn(late.turnId)).toBeNull();
    await graph.storeTurn(endOf(running));
    expect(await link(graph, late)).toMatchObject({ kind: 'busy', linked: true });
  });
});

describe('a turn that was released', () => {
  test('goes, and answers to what it waited for', async () => {
    const running = newTurn();
    const queued = nextTurn(running);
    await link(graph, running);
    await link(graph, queued);
    await graph.storeTurn(endOf(running));
    expect(await link(graph, queued, running.turnId)).toEqual({
      kind: 'linked',
      parentTurnId: running.turnId,
      previousReceiptSha256: `receipt of ${running.turnId}`,
    });
  });

  test('goes even when the end of the other could not be recorded', async () => {
    const running = newTurn();
    const queued = nextTurn(running);
    await link(graph, running);
    await link(graph, queued);
    expect(await link(graph, queued, running.turnId)).toMatchObject({ kind: 'linked' });
    expect((await graph.turn(running.turnId))?.result).toBeNull();
  });

  test('by the engine, which does not know the other: the other is recorded as failed and never counts again', async () => {
    const dead = newTurn({ text: 'lost' });
    const queued = nextTurn(dead);
    await link(graph, dead);
    await link(graph, queued);
    expect(await link(graph, queued, dead.turnId, true)).toMatchObject({ kind: 'linked', parentTurnId: dead.turnId });
    const { result } = (await graph.turn(dead.turnId)) ?? {};
    expect(result?.outcome).toBe('failed');
    expect(result?.log.map((event) => event.type)).toEqual(['turn_accepted', 'agent_failed', 'turn_failed']);
    expect(result?.log[0]).toMatchObject({ text: 'lost', seq: 1 });
    expect(result?.log[2]).toMatchObject({ error: { code: 'internal' }, receipt: null, seq: 3 });
    await graph.storeTurn(endOf(queued));
    expect(await link(graph, nextTurn(dead))).toMatchObject({ kind: 'linked' });
  });

  test('a terminated turn with two that wait does not lock the conversation', async () => {
    const [dead, second, third] = await queueOfThree();
    expect(await link(graph, second, dead.turnId, true)).toMatchObject({ kind: 'linked' });
    expect(behindOf(await link(graph, third))).toBe(second.turnId);
    await graph.storeTurn(endOf(second));
    expect(await link(graph, third, second.turnId)).toMatchObject({ kind: 'linked', parentTurnId: second.turnId });
  });

  test('a turn that is called gone although it has ended keeps its end', async () => {
    const ended = newTurn();
    const queued = nextTurn(ended);
    await link(graph, ended);
    await link(graph, queued);
    await graph.storeTurn(endOf(ended));
    await link(graph, queued, ended.turnId, true);
    expect((await graph.turn(ended.turnId))?.result?.outcome).toBe('completed');
  });
});

describe('ids of others', () => {
  test('another user’s conversation is not there, and stays as it is', async () => {
    const mine = await exchange(graph, newTurn());
    const theirs = newTurn({ conversationId: mine.conversationId });
    await expect(link(graph, theirs)).rejects.toMatchObject({ code: 'conversation_not_found' });
    expect(await graph.turn(theirs.turnId)).toBeNull();
    expect(await graph.turns(mine.conversationId)).toHaveLength(1);
  });

  test('another user’s turn is not there', async () => {
    const mine = await exchange(graph, newTurn());
    const stolen = newTurn({ turnId: mine.turnId, contentSha256: mine.contentSha256 });
    await expect(link(graph, stolen)).rejects.toMatchObject({ code: 'turn_not_found' });
    expect(await graph.conversation(stolen.userId, stolen.conversationId)).toBeNull();
    const inPlace = { ...mine, userId: newUserId() };
    await expect(link(graph, inPlace)).rejects.toMatchObject({ code: 'turn_not_found' });
  });

  test('a used id with other content, also in another conversation, is a conflict', async () => {
    const mine = await exchange(graph, newTurn());
    await expect(link(graph, { ...mine, text: 'x', contentSha256: 'other' })).rejects.toMatchObject({
      code: 'turn_conflict',
    });
    const elsewhere = { ...mine, conversationId: newConversationId(), contentSha256: 'other' };
    await expect(link(graph, elsewhere)).rejects.toMatchObject({ code: 'turn_conflict' });
    expect(await graph.conversation(mine.userId, elsewhere.conversationId)).toBeNull();
  });

  test('one id into two conversations at once: one is linked, the other is a conflict', async () => {
    const one = newTurn();
    const two = { ...one, conversationId: newConversationId(), contentSha256: 'other' };
    const settled = await Promise.allSettled([link(graph, one), link(graph, two)]);
    const failed = settled.filter((result) => result.status === 'rejected');
    expect(failed).toHaveLength(1);
    expect(failed[0]?.reason).toMatchObject({ code: 'turn_conflict' });
  });
});

describe('what a message answers to', () => {
  test('a parent that is not in the conversation is not there', async () => {
    const mine = await exchange(graph, newTurn());
    const elsewhere = await exchange(graph, newTurn({ userId: mine.userId }));
    for (const parentTurnId of [newTurnId(), elsewhere.turnId]) {
      await expect(link(graph, nextTurn(mine, { parentTurnId }))).rejects.toMatchObject({ code: 'turn_not_found' });
    }
    const regenerateOf = elsewhere.turnId;
    await expect(link(graph, nextTurn(mine, { regenerateOf }))).rejects.toMatchObject({ code: 'turn_not_found' });
    expect(await graph.turns(mine.conversationId)).toHaveLength(1);
  });

  test('is the parent that was sent, which selects another branch', async () => {
    const first = await exchange(graph, newTurn());
    await exchange(graph, nextTurn(first));
    const branch = nextTurn(first, { parentTurnId: first.turnId });
    expect(await link(graph, branch)).toMatchObject({ kind: 'linked', parentTurnId: first.turnId });
    expect((await conversationOf(first))?.leaf).toBe(branch.turnId);
  });

  test('is, for a regeneration, what the other answered to', async () => {
    const first = await exchange(graph, newTurn());
    const second = await exchange(graph, nextTurn(first));
    const again = nextTurn(first, { regenerateOf: second.turnId });
    expect(await link(graph, again)).toMatchObject({ kind: 'linked', parentTurnId: first.turnId });
    await graph.storeTurn(endOf(again));
    const root = nextTurn(first, { regenerateOf: first.turnId });
    expect(await link(graph, root)).toMatchObject({ kind: 'linked', parentTurnId: null });
  });

  test('is the selected leaf of the time of linking, also for a turn that is queued', async () => {
    const [running, second, third] = await queueOfThree();
    expect((await graph.turn(second.turnId))?.parentTurnId).toBe(running.turnId);
    expect((await graph.turn(third.turnId))?.parentTurnId).toBe(second.turnId);
  });

  test('a turn without a receipt does not break the chain of receipts', async () => {
    const first = await exchange(graph, newTurn());
    const second = nextTurn(first);
    const third = nextTurn(first);
    await link(graph, second);
    await link(graph, third);
    expect(await link(graph, third, second.turnId, true)).toEqual({
      kind: 'linked',
      parentTurnId: second.turnId,
      previousReceiptSha256: `receipt of ${first.turnId}`,
    });
  });
});

test('turns without an end of their own are listed by age, page by page: open ones, and those found gone until theirs comes', async () => {
  const [ended, dead, open] = [newTurn(), newTurn(), newTurn()];
  const mine = new Set([ended.turnId, dead.turnId, open.turnId]);
  for (const turn of [ended, dead, open]) await link(graph, turn);
  await graph.storeTurn(endOf(ended));
  await link(graph, nextTurn(dead), dead.turnId, true);
  const list = async (before: string): Promise<TurnId[]> => {
    const found: TurnId[] = [];
    for (let after: OpenTurnMark | null = null; ;) {
      const page: readonly OpenTurnMark[] = await graph.openTurns(before, 7, after);
      found.push(...page.map(({ turnId }) => turnId).filter((turnId) => mine.has(turnId)));
      after = page.at(-1) ?? null;
      if (page.length < 7) return found;
    }
  };
  const future = new Date(Date.now() + 60_000).toISOString();
  expect(await list(future)).toEqual([dead.turnId, open.turnId]);
  expect(await list('2000-01-01T00:00:00.000Z')).toEqual([]);
  await graph.storeTurn(endOf(dead));
  expect(await list(future)).toEqual([open.turnId]);
  expect((await graph.turn(dead.turnId))?.result?.outcome).toBe('completed');
});

test('the graph belongs to the engine that asked first, and to no other', async () => {
  const engines = Array.from({ length: 4 }, () => `engine-${newTurnId()}`);
  const asked = await Promise.all(engines.map((engine) => graph.isEngineOfTurns(engine)));
  expect(asked.filter(Boolean).length).toBeLessThanOrEqual(1);
  const again = await Promise.all(engines.map((engine) => graph.isEngineOfTurns(engine)));
  expect(again).toEqual(asked);
});
