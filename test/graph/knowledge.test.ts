import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { loadKnowledge } from '../../src/knowledge/load-knowledge.ts';
import type { Graph } from '../../src/graph/neo4j.ts';
import type { KnowledgeDocument } from '../../src/protocol/ports.ts';
import { openGraph } from './graph-under-test.ts';

let graph: Graph;
beforeAll(async () => {
  graph = await openGraph();
});
afterAll(() => graph.close());

/** A word that no other test has. */
const newWord = (): string => `w${randomUUID().replaceAll('-', '')}`;

function documentOf(...texts: readonly string[]): KnowledgeDocument {
  const id = `doc-${randomUUID()}`;
  const chunks = texts.map((text, index) => ({ id: `${id}#${index}`, heading: 'A heading', text }));
  return { id, title: `Title of ${id}`, source: `source of ${id}`, sha256: 'x', chunks };
}

describe('the search for knowledge', () => {
  test('finds a text by its words and says where it comes from', async () => {
    const word = newWord();
    const document = documentOf(`The ${word} is restarted at night.`, 'Nothing else.');
    await graph.saveDocument(document);
    const [hit, ...others] = await graph.searchKnowledge(`What is ${word.toUpperCase()}?`, 3);
    expect(hit).toEqual({
      id: document.chunks[0]?.id,
      source: document.source,
      title: `${document.title} › A heading`,
      text: document.chunks[0]?.text,
      score: expect.any(Number),
    });
    for (const other of others) expect(other.score).toBeLessThan(hit?.score ?? 0);
  });

  test('gives at most as many as asked for', async () => {
    const word = newWord();
    await graph.saveDocument(documentOf(...Array.from({ length: 5 }, (_, index) => `${word} number ${index}`)));
    expect(await graph.searchKnowledge(word, 3)).toHaveLength(3);
  });

  test.each(['', '   \n', '?!…', 'the of and', 'how do I', '()[]{}"~*^:\\/+-&&||!'])(
    'of %j, which has no word to look for, finds nothing',
    async (question) => {
      expect(await graph.searchKnowledge(question, 5)).toEqual([]);
    },
  );

  test.each([
    (word: string) => `${word}" OR *:*`,
    (word: string) => `(${word}`,
    (word: string) => `${word} AND NOT (`,
    (word: string) => `id:[* TO *] ${word}`,
    (word: string) => `${word}~^ /.*/ ${word}*`,
    (word: string) => `${word}\\`,
    (word: string) => `${word}' }) MATCH (n) DETACH DELETE n //`,
    (word: string) => `${word} `.repeat(3_000),
    (word: string) => `${word} ${Array.from({ length: 3_000 }, (_, index) => `x${index}`).join(' ')}`,
  ])('takes syntax in a question for words (%#)', async (attack) => {
    const word = newWord();
    const document = documentOf(`about ${word}`);
    await graph.saveDocument(document);
    const [hit] = await graph.searchKnowledge(attack(word), 3);
    expect(hit?.id).toBe(document.chunks[0]?.id);
  });

  test('finds words of other scripts', async () => {
    const word = newWord();
    await graph.saveDocument(documentOf(`${word} перезапуск задания`));
    expect(await graph.searchKnowledge(`Перезапуск ${word}`, 1)).toHaveLength(1);
  });
});

describe('a document that is saved again', () => {
  test('replaces its chunks', async () => {
    const [old, kept, fresh] = [newWord(), newWord(), newWord()];
    const before = documentOf(kept, old);
    await graph.saveDocument(before);
    const chunks = [before.chunks[0], { id: `${before.id}#new`, heading: '', text: fresh }] as const;
    await graph.saveDocument({ ...before, title: 'New title', chunks: chunks.filter((chunk) => chunk !== undefined) });
    expect(await graph.searchKnowledge(old, 5)).toEqual([]);
    expect(await graph.searchKnowledge(kept, 5)).toMatchObject([{ title: 'New title › A heading' }]);
    expect(await graph.searchKnowledge(fresh, 5)).toMatchObject([{ title: 'New title' }]);
  });

  test('is one document, also when several processes load it at once', async () => {
    const word = newWord();
    const document = documentOf(word, `${word} again`);
    await Promise.all(Array.from({ length: 5 }, () => graph.saveDocument(document)));
    expect(await graph.searchKnowledge(word, 10)).toHaveLength(2);
    expect(await graph.countDocuments()).toBeGreaterThan(0);
  });
});

describe('the runbooks of the repository', () => {
  beforeAll(async () => {
    const { broken, documents } = await loadKnowledge('knowledge', graph, () => undefined);
    expect(broken).toEqual([]);
    expect(documents).toBeGreaterThan(0);
  });

  test.each([
    ['How do I restart a job in TWS?', 'restart-a-job'],
    ['how can i put a job on hold', 'hold-and-release'],
    ['What does the return code of a job mean?', 'job-states-and-return-codes'],
    ['Rerun the job from a step', 'rerun-from-a-step'],
    ['Who has to approve a cancel?', 'roles-and-approvals'],
  ])('%s is found in %s', async (question, id) => {
    const [hit] = await graph.searchKnowledge(question, 4);
    expect(hit?.id.split('#')[0]).toBe(id);
    expect(hit?.source).toMatch(/^runbook RB-\d+$/);
  });
});
