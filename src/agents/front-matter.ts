// Markdown with YAML front matter, and where in the file each key stands: whoever edits an agent by hand has to be told
// the line, not only what is wrong.

import { isMap, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';

export interface FrontMatter {
  readonly values: unknown;
  /** The text behind the front matter, without white space around it. */
  readonly body: string;
  /** Line of the file, from 1, in which the key or item at `path` stands, or the nearest thing around it. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** `problems`: each with its line, for a file that cannot be read as front matter at all. */
export type ParsedFrontMatter =
  ({ readonly kind: 'parsed' } & FrontMatter) | { readonly kind: 'broken'; readonly problems: readonly string[] };

const fence = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)^---[ \t]*\r?(?:\n|$)/m;
/** The opening fence is the first line. */
const firstYamlLine = 2;

export function parseFrontMatter(text: string): ParsedFrontMatter {
  const match = fence.exec(text);
  if (match?.index !== 0) {
    return { kind: 'broken', problems: ['line 1: the file does not begin with front matter between two lines of ---'] };
  }
  const lines = new LineCounter();
  const document = parseDocument(match[1] ?? '', { lineCounter: lines, prettyErrors: false });
  const toLine = (offset: number): number => lines.linePos(offset).line + firstYamlLine - 1;
  // A warning means that a value would not be what was written.
  const problems = [...document.errors, ...document.warnings].map((p) => `line ${toLine(p.pos[0])}: ${p.message}`);
  if (problems.length > 0) return { kind: 'broken', problems };
  return {
    kind: 'parsed',
    values: document.toJS() as unknown,
    body: text.slice(match[0].length).trim(),
    lineOf: (path) => toLine(offsetOf(document, path)),
  };
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let offset = 0;
  let node: unknown = document.contents;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    } else {
      break;
    }
  }
  return offset;
}
