// A turn linked as it was foreseen: the same as `linkTurn` makes of it, or nothing at all.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Graph } from '../../src/graph/neo4j.ts';
import type { Foreseen, StoredPrompt } from '../../src/protocol/ports.ts';
import type { TurnInput } from '../../src/protocol/turn.ts';
import { endOf, exchange, failureOf, link, newTurn, newTurnId, nextTurn, openGraph } from './graph-under-test.ts';

let graph: Graph;
beforeAll(async () => {
  graph = await openGraph();
});
afterAll(() => graph.close());

const limit = 50;
const promptOf = ({ turnId }: TurnInput): StoredPrompt => ({
  messages: [{ role: 'user', content: `asked in ${turnId}` }],
  sha256: `sha of ${turnId}`,
  context: [],
});
const enter = (turn: TurnInput, foreseen: Foreseen): Promise<boolean> =>
  graph.linkForeseen(turn, foreseen, promptOf(turn));

async function foresee(turn: TurnInput): Promise<Foreseen> {
  const foreseen = await graph.foresee(turn, limit);
  if (foreseen === null) throw new Error(`expected turn ${turn.turnId} to be free to go`);
  return foreseen;
}

/** Nothing of the turn is in the graph. */
async function expectAbsent({ turnId }: TurnInput): Promise<void> {
  expect(await graph.turn(turnId)).toBeNull();
  expect(await graph.readPrompt(turnId)).toBeNull();
}

describe('a message into a free conversation', () => {
  test('that is new: creates it, links the turn and keeps its prompt', async () => {
    const turn = newTurn({ text: 'How do I restart a job?' });
    const foreseen = await foresee(turn);
    expect(foreseen).toMatchObject({ parentTurnId: null, previousReceiptSha256: null, history: [] });
    expect(await graph.conversation(turn.userId, turn.conversationId)).toBeNull();
    expect(await enter(turn, foreseen)).toBe(true);
    expect(await graph.readPrompt(turn.turnId)).toEqual(promptOf(turn));
    expect(await graph.conversation(turn.userId, turn.conversationId)).toMatchObject({
      title: 'How do I restart a job?',
      leaf: turn.turnId,
    });
  });

  test('that has exchanges: answers to the last one, and its history is what `history` gives afterwards', async () => {
    const first = await exchange(graph, newTurn());
    const second = await exchange(graph, nextTurn(first));
    const turn = nextTurn(first);
    const foreseen = await foresee(turn);
    expect(foreseen).toMatchObject({
      parentTurnId: second.turnId,
      previousReceiptSha256: `receipt of ${second.turnId}`,
    });
    expect(foreseen.history.map(({ question }) => question)).toEqual([first.text, second.text]);
    expect(await enter(turn, foreseen)).toBe(true);
    expect(await graph.history(turn.turnId, limit)).toEqual(foreseen.history);
    const turns = await graph.turns(turn.conversationId);
    expect(turns.map(({ turnId }) => turnId)).toEqual([first.turnId, second.turnId, turn.turnId]);
    expect(turns.at(-1)?.parentTurnId).toBe(second.turnId);
    expect(await link(graph, nextTurn(first))).toMatchObject({ kind: 'busy', behind: turn.turnId });
  });

  test('as an answer to an earlier turn, or anew to the same question, has the history up to there', async () => {
    const first = await exchange(graph, newTurn());
    const second = await exchange(graph, nextTurn(first));
    const aside = nextTurn(first, { parentTurnId: first.turnId });
    const anew = nextTurn(first, { regenerateOf: second.turnId });
    for (const turn of [aside, anew]) {
      const foreseen = await foresee(turn);
      expect(foreseen.parentTurnId).toBe(first.turnId);
      expect(foreseen.history.map(({ question }) => question)).toEqual([first.text]);
      expect(await enter(turn, foreseen)).toBe(true);
      await graph.storeTurn(endOf(turn));
      expect((await graph.turn(turn.turnId))?.parentTurnId).toBe(first.turnId);
    }
  });
});

describe('what is not foreseen, because the lock has to decide', () => {
  test.each([
    ['another user’s conversation', (first: TurnInput) => newTurn({ conversationId: first.conversationId })],
    ['a turn that is linked already', (first: TurnInput) => first],
    ['an id of another user', (first: TurnInput) => newTurn({ turnId: first.turnId })],
    ['an id with other content', (first: TurnInput) => ({ ...first, contentSha256: 'other' })],
    ['a parent that is not there', (first: TurnInput) => nextTurn(first, { parentTurnId: newTurnId() })],
  ])('%s', async (_, toTurn) => {
    const first = await exchange(graph, newTurn());
    expect(await graph.foresee(toTurn(first), limit)).toBeNull();
  });

  test('a conversation with an open turn', async () => {
    const running = newTurn();
    await link(graph, running);
    expect(await graph.foresee(nextTurn(running), limit)).toBeNull();
  });

  test('a new conversation is not created by looking', async () => {
    const turn = newTurn();
    await foresee(turn);
    expect(await graph.conversation(turn.userId, turn.conversationId)).toBeNull();
  });
});

describe('what has changed since it was foreseen: nothing is written', () => {
  test('another message was linked', async () => {
    const first = await exchange(graph, newTurn());
    const turn = nextTurn(first);
    const foreseen = await foresee(turn);
    await link(graph, nextTurn(first));
    expect(await enter(turn, foreseen)).toBe(false);
    await expectAbsent(turn);
  });

  test('another message came and is over: its exchange is missing in the prompt', async () => {
    const first = await exchange(graph, newTurn());
    const turn = nextTurn(first);
    const foreseen = await foresee(turn);
    await exchange(graph, nextTurn(first));
    expect(await enter(turn, foreseen)).toBe(false);
    await expectAbsent(turn);
  });

  test('a message came, failed, and gave the leaf back', async () => {
    const first = await exchange(graph, newTurn());
    const turn = nextTurn(first);
    const foreseen = await foresee(turn);
    const failed = nextTurn(first);
    await link(graph, failed);
    await graph.storeTurn(failureOf(failed));
    expect(await enter(turn, foreseen)).toBe(false);
    await expectAbsent(turn);
  });

  test('the new conversation is another user’s by now', async () => {
    const turn = newTurn();
    const foreseen = await foresee(turn);
    const other = await exchange(graph, newTurn({ conversationId: turn.conversationId }));
    expect(await enter(turn, foreseen)).toBe(false);
    await expectAbsent(turn);
    expect(await graph.turns(turn.conversationId)).toHaveLength(1);
    expect(await graph.conversation(other.userId, turn.conversationId)).not.toBeNull();
  });

  test('the owner has deleted the conversation: it is not made anew', async () => {
    const first = await exchange(graph, newTurn());
    const turn = nextTurn(first);
    const foreseen = await foresee(turn);
    await graph.deleteConversation(first.userId, first.conversationId);
    expect(await enter(turn, foreseen)).toBe(false);
    await expectAbsent(turn);
    expect(await graph.conversation(first.userId, first.conversationId)).toBeNull();
  });

  test('the turn itself was linked by a try that was given up', async () => {
    const turn = newTurn();
    const foreseen = await foresee(turn);
    expect(await enter(turn, foreseen)).toBe(true);
    expect(await enter(turn, foreseen)).toBe(false);
    expect(await graph.turns(turn.conversationId)).toHaveLength(1);
  });

  test('of 20 that foresaw the same, exactly one is linked', async () => {
    const first = await exchange(graph, newTurn());
    const crowd = Array.from({ length: 20 }, () => nextTurn(first));
    const foreseen = await Promise.all(crowd.map(foresee));
    const linked = await Promise.all(crowd.map((turn, n) => enter(turn, foreseen[n] as Foreseen)));
    expect(linked.filter(Boolean)).toHaveLength(1);
    expect(await graph.turns(first.conversationId)).toHaveLength(2);
  });

  test('of 20 first messages of a new conversation, exactly one is linked', async () => {
    const first = newTurn();
    const crowd = [first, ...Array.from({ length: 19 }, () => nextTurn(first))];
    const foreseen = await Promise.all(crowd.map(foresee));
    const linked = await Promise.all(crowd.map((turn, n) => enter(turn, foreseen[n] as Foreseen)));
    expect(linked.filter(Boolean)).toHaveLength(1);
    expect((await graph.conversations(first.userId, 10, null)).items).toHaveLength(1);
  });
});
