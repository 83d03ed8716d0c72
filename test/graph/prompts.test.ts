import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Graph } from '../../src/graph/neo4j.ts';
import type { StoredPrompt } from '../../src/protocol/ports.ts';
import { link, newTurn, newTurnId, openGraph } from './graph-under-test.ts';

let graph: Graph;
beforeAll(async () => {
  graph = await openGraph();
});
afterAll(() => graph.close());

const prompt = (content: string): StoredPrompt => ({
  messages: [
    { role: 'system', content: 'be exact' },
    { role: 'user', content },
  ],
  sha256: `sha of ${content}`,
  context: [{ id: 'a#b', source: 'runbook', score: 1.5 }],
});

describe('the prompt of a turn', () => {
  test('is read as it was saved, however long', async () => {
    const turn = newTurn();
    await link(graph, turn);
    const long = prompt('wörter 😀 '.repeat(20_000));
    await graph.savePrompt(turn.turnId, long);
    expect(await graph.readPrompt(turn.turnId)).toEqual(long);
  });

  test('is the last one, when it was assembled again', async () => {
    const turn = newTurn();
    await link(graph, turn);
    await Promise.all(['one', 'two', 'three'].map((text) => graph.savePrompt(turn.turnId, prompt(text))));
    await graph.savePrompt(turn.turnId, prompt('last'));
    expect(await graph.readPrompt(turn.turnId)).toEqual(prompt('last'));
  });

  test('is not there before it was saved', async () => {
    expect(await graph.readPrompt(newTurnId())).toBeNull();
  });

  test('of a turn that is not there is refused', async () => {
    await expect(graph.savePrompt(newTurnId(), prompt('x'))).rejects.toMatchObject({ code: 'turn_not_found' });
  });
});
