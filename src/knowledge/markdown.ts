// A markdown file as a document of the knowledge graph.

import { createHash } from 'node:crypto';
import type { KnowledgeDocument } from '../protocol/ports.ts';
import { parseFrontMatter } from './front-matter.ts';
import { toSections } from './sections.ts';

/**
 * One chunk a section. A chunk's id is the document's with the heading's words, so that what cites it survives changes
 * elsewhere in the file.
 *
 * @throws Error that names the file and what is wrong with it
 */
export function parseDocument(path: string, text: string): KnowledgeDocument {
  const { matter, body } = parseFrontMatter(path, text);
  const { id, title, source } = matter;
  const used = new Map<string, number>();
  const chunks = toSections(body).map((section) => ({ id: `${id}#${toAnchor(section.heading, used)}`, ...section }));
  if (chunks.length === 0)
    throw new Error(`unable to read the document ${path}; it has no text below its front matter`);
  return { id, title, source, sha256: createHash('sha256').update(text).digest('hex'), chunks };
}

function toAnchor(heading: string, used: Map<string, number>): string {
  const words = heading.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? ['start'];
  const anchor = words.join('-');
  const times = (used.get(anchor) ?? 0) + 1;
  used.set(anchor, times);
  return times === 1 ? anchor : `${anchor}~${times}`;
}
