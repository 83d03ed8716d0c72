// Loads a folder of markdown files into the knowledge graph. A broken file is named and left out; the others are loaded.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KnowledgeDocument, KnowledgeGraph } from '../protocol/ports.ts';
import { parseDocument } from './markdown.ts';

export interface LoadedKnowledge {
  readonly documents: number;
  readonly chunks: number;
  readonly broken: readonly { readonly file: string; readonly reason: string }[];
}

/**
 * Loads every `*.md` of the folder, in the order of their names; what the graph has under the same id is replaced.
 *
 * @param log takes one line for each broken file and one for the whole
 * @throws CandorError `graph_unavailable`; Error of the file system when the folder cannot be read
 */
export async function loadKnowledge(
  folder: string,
  graph: Pick<KnowledgeGraph, 'saveDocument'>,
  log: (line: string) => void,
): Promise<LoadedKnowledge> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.md')).sort();
  const documents = new Map<string, KnowledgeDocument>();
  const broken: { file: string; reason: string }[] = [];
  for (const name of names) {
    const file = join(folder, name);
    const text = await readFile(file, 'utf8');
    const document = read(file, text);
    if (document instanceof Error) broken.push({ file, reason: document.message });
    else if (documents.has(document.id)) {
      broken.push({ file, reason: `unable to use the document ${file}; another file has the id ${document.id}` });
    } else documents.set(document.id, document);
  }
  for (const { reason } of broken) log(reason);
  let chunks = 0;
  for (const document of documents.values()) {
    await graph.saveDocument(document);
    chunks += document.chunks.length;
  }
  log(`knowledge: ${documents.size} documents with ${chunks} sections loaded from ${folder}`);
  return { documents: documents.size, chunks, broken };
}

function read(file: string, text: string): KnowledgeDocument | Error {
  try {
    return parseDocument(file, text);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
