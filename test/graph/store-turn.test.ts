import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Graph } from '../../src/graph/neo4j.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import type { TurnInput } from '../../src/protocol/turn.ts';
import { answerText, endOf, exchange, failureOf, link, newTurn, nextTurn, openGraph } from './graph-under-test.ts';

let graph: Graph;
beforeAll(async () => {
  graph = await openGraph();
});
afterAll(() => graph.close());

const leafOf = async ({ userId, conversationId }: TurnInput): Promise<TurnId | null> =>
  (await graph.conversation(userId, conversationId))?.leaf ?? null;

describe('the end of a turn', () => {
  test('is stored whole: log, steps and time', async () => {
    const turn = newTurn();
    await link(graph, turn);
    const steps = [
      answerText(turn),
      answerText(turn, { step: 2, text: 'second', reasoning: 'because', incomplete: true }),
    ];
    const end = endOf(turn, { steps, storedAt: '2026-02-03T04:05:06.789Z' });
    expect(await graph.storeTurn(end)).toEqual({ storedAt: '2026-02-03T04:05:06.789Z' });
    const stored = await graph.turn(turn.turnId);
    expect(stored?.result).toEqual({ outcome: 'completed', log: end.log });
    expect(stored?.steps).toEqual(steps);
    expect((await graph.conversation(turn.userId, turn.conversationId))?.updatedAt).toBe(end.storedAt);
  });

  test('comes once: of many at the same time the first stays, and all are given its time', async () => {
    const turn = newTurn();
    await link(graph, turn);
    const ends = Array.from({ length: 12 }, (_, index) => {
      const storedAt = new Date(Date.UTC(2026, 0, 1 + index)).toISOString();
      return index % 2 === 0 ? endOf(turn, { storedAt }) : failureOf(turn, { storedAt });
    });
    const results = await Promise.all(ends.map((end) => graph.storeTurn(end)));
    const [first] = results;
    for (const result of results) expect(result).toEqual(first);
    const winner = ends.find((end) => end.storedAt === first?.storedAt);
    expect((await graph.turn(turn.turnId))?.result?.outcome).toBe(winner?.outcome);
  });

  test('of a turn that was taken for gone replaces that mark', async () => {
    const turn = newTurn();
    const next = nextTurn(turn);
    await link(graph, turn);
    await link(graph, next);
    await link(graph, next, turn.turnId, true);
    const end = endOf(turn);
    expect(await graph.storeTurn(end)).toEqual({ storedAt: end.storedAt });
    expect((await graph.turn(turn.turnId))?.result).toEqual({ outcome: 'completed', log: end.log });
    expect(await graph.storeTurn(failureOf(turn, { storedAt: '2030-01-01T00:00:00.000Z' }))).toEqual({
      storedAt: end.storedAt,
    });
  });

  test('of a turn that was never linked writes nothing', async () => {
    const turn = newTurn();
    const end = failureOf(turn);
    expect(await graph.storeTurn(end)).toEqual({ storedAt: end.storedAt });
    expect(await graph.turn(turn.turnId)).toBeNull();
    expect(await graph.conversation(turn.userId, turn.conversationId)).toBeNull();
  });

  test('frees the conversation for the next message', async () => {
    const turn = newTurn();
    await link(graph, turn);
    await graph.storeTurn(failureOf(turn));
    expect(await link(graph, nextTurn(turn))).toMatchObject({ kind: 'linked' });
  });

  test('keeps a citation of a document as an edge, whatever the citation names', async () => {
    const id = `doc-${randomUUID()}`;
    const chunk = { id: `${id}#a`, heading: 'a', text: 'text' };
    await graph.saveDocument({ id, title: 't', source: 's', sha256: 'x', chunks: [chunk] });
    const turn = newTurn();
    await link(graph, turn);
    const citations = [chunk.id, chunk.id, 'no such chunk'].map((cited) => ({ id: cited, source: 's' }));
    await graph.storeTurn(endOf(turn, { citations }));
    expect((await graph.turn(turn.turnId))?.result?.outcome).toBe('completed');
  });
});

describe('the selected leaf', () => {
  test('stays on an answer', async () => {
    const turn = await exchange(graph, newTurn());
    expect(await leafOf(turn)).toBe(turn.turnId);
  });

  test('goes back to the last real exchange when a turn ends without text', async () => {
    const first = await exchange(graph, newTurn());
    const failing = nextTurn(first);
    await link(graph, failing);
    await graph.storeTurn(failureOf(failing));
    expect(await leafOf(first)).toBe(first.turnId);
    expect(await link(graph, nextTurn(first))).toMatchObject({ kind: 'linked', parentTurnId: first.turnId });
  });

  test('is none when the first turn ends without text', async () => {
    const turn = newTurn();
    await link(graph, turn);
    await graph.storeTurn(failureOf(turn));
    expect(await leafOf(turn)).toBeNull();
  });

  test('stays on a stopped turn that has a text', async () => {
    const first = await exchange(graph, newTurn());
    const stopped = nextTurn(first);
    await link(graph, stopped);
    await graph.storeTurn(endOf(stopped, { outcome: 'cancelled', answer: answerText(stopped, { incomplete: true }) }));
    expect(await leafOf(first)).toBe(stopped.turnId);
  });

  test.each([
    ['in their order', [0, 1]],
    ['the last one first', [1, 0]],
  ])('passes over all of a queue that ends without text, %s', async (_, order) => {
    const first = await exchange(graph, newTurn());
    const queue = [nextTurn(first), nextTurn(first)];
    for (const turn of queue) await link(graph, turn);
    for (const index of order) await graph.storeTurn(failureOf(queue[index] as TurnInput));
    expect(await leafOf(first)).toBe(first.turnId);
  });

  test('is not taken from a turn that still waits', async () => {
    const failing = newTurn();
    const waiting = nextTurn(failing);
    await link(graph, failing);
    await link(graph, waiting);
    await graph.storeTurn(failureOf(failing));
    expect(await leafOf(failing)).toBe(waiting.turnId);
  });
});
