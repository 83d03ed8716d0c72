import { describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKnowledge } from '../../src/knowledge/load-knowledge.ts';
import { parseDocument } from '../../src/knowledge/markdown.ts';
import type { KnowledgeDocument } from '../../src/protocol/ports.ts';

const head = '---\nid: a-document\ntitle: A document\nsource: runbook 1\ntags: [one, two]\n---\n';

describe('a markdown file', () => {
  test('becomes a document with one chunk for each section', () => {
    const text = `${head}\n# A document\n\nIntro.\n\n## First part\n\nText *one*.\n\n- item\n\n## Second \`part\`\n\nText two.\n`;
    const { chunks, ...document } = parseDocument('a.md', text);
    expect(document).toMatchObject({ id: 'a-document', title: 'A document', source: 'runbook 1' });
    expect(document.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(chunks).toEqual([
      { id: 'a-document#start', heading: '', text: 'Intro.' },
      { id: 'a-document#first-part', heading: 'First part', text: 'Text *one*.\n\n- item' },
      { id: 'a-document#second-part', heading: 'Second part', text: 'Text two.' },
    ]);
  });

  test('is cut between paragraphs when a section is long, and each piece says where it belongs', () => {
    const paragraph = `${'word '.repeat(110).trim()}.`;
    const text = `${head}## Part\n\n${paragraph}\n\n${paragraph}\n\n### Deeper\n\n${paragraph}\n\n${paragraph}\n\n${paragraph}\n`;
    const { chunks } = parseDocument('a.md', text);
    for (const chunk of chunks) expect(chunk.text.length).toBeLessThan(1_300);
    expect(chunks.map((chunk) => chunk.heading)).toEqual(['Part', 'Part › Deeper', 'Part › Deeper']);
    expect(chunks.map((chunk) => chunk.id)).toEqual([
      'a-document#part',
      'a-document#part-deeper',
      'a-document#part-deeper~2',
    ]);
    expect(chunks.map((chunk) => chunk.text).join('\n\n')).toContain(`### Deeper\n\n${paragraph}`);
  });

  test('keeps a block of code whole, whatever stands in it', () => {
    const code = `\`\`\`\n## no heading\n${'x\n\n'.repeat(900)}\`\`\``;
    const { chunks } = parseDocument('a.md', `${head}## Part\n\n${code}\n\nAfter.\n`);
    expect(chunks.map((chunk) => chunk.heading)).toEqual(['Part', 'Part']);
    expect(chunks[0]?.text).toBe(code);
  });

  test('may have the line ends of Windows', () => {
    const { chunks } = parseDocument('a.md', `${head}## Part\n\nText.\n`.replaceAll('\n', '\r\n'));
    expect(chunks).toEqual([{ id: 'a-document#part', heading: 'Part', text: 'Text.' }]);
  });

  test.each([
    ['no front matter', '# Title\n', /does not begin with front matter/],
    ['broken YAML', '---\nid: [a\n---\ntext', /unable to read the document a\.md; /],
    ['a list as front matter', '---\n- a\n---\ntext', /has no keys/],
    ['no id', '---\ntitle: t\nsource: s\n---\ntext', /`id` has to be a text/],
    ['an id with spaces', '---\nid: a b\ntitle: t\nsource: s\n---\ntext', /`id` has to match/],
    ['no source', '---\nid: a\ntitle: t\n---\ntext', /`source` has to be a text/],
    ['tags that are no list', '---\nid: a\ntitle: t\nsource: s\ntags: x\n---\ntext', /`tags` has to be a list/],
    ['no text', '---\nid: a\ntitle: t\nsource: s\n---\n## Only a heading\n', /has no text/],
  ])('with %s is refused by name', (_, text, message) => {
    expect(() => parseDocument('a.md', text)).toThrow(message);
    expect(() => parseDocument('a.md', text)).toThrow('a.md');
  });
});

describe('a folder of documents', () => {
  test('is loaded but for its broken files, which are named', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'candor-knowledge-'));
    try {
      await writeFile(join(folder, 'a.md'), `${head}Text.`);
      await writeFile(join(folder, 'b.md'), 'no front matter');
      await writeFile(join(folder, 'c.md'), `${head}The same id.`);
      await writeFile(join(folder, 'd.txt'), 'not markdown');
      const saved: KnowledgeDocument[] = [];
      const lines: string[] = [];
      const graph = { saveDocument: async (document: KnowledgeDocument) => void saved.push(document) };
      const loaded = await loadKnowledge(folder, graph, (line) => lines.push(line));
      expect(loaded).toMatchObject({ documents: 1, chunks: 1 });
      expect(saved.map((document) => document.chunks[0]?.text)).toEqual(['Text.']);
      expect(loaded.broken.map(({ file }) => file)).toEqual([join(folder, 'b.md'), join(folder, 'c.md')]);
      expect(lines).toHaveLength(3);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('that cannot be read is an error', async () => {
    const graph = { saveDocument: async () => undefined };
    await expect(loadKnowledge(join(tmpdir(), 'candor-no-such-folder'), graph, () => undefined)).rejects.toThrow(
      'ENOENT',
    );
  });
});
