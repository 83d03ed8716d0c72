// Cuts a markdown text into pieces that can stand alone in a prompt: one for each `##`, long ones cut between
// paragraphs. By a parser, because a `##` inside a block of code is no heading.

import { fromMarkdown } from 'mdast-util-from-markdown';
import { toString } from 'mdast-util-to-string';

export interface Section {
  /** Headings that lead to the text, `›` between them; empty for what stands before the first. */
  readonly heading: string;
  /** Markdown, as written. */
  readonly text: string;
}

/** UTF-16 units; a single paragraph, list or block of code may be longer, it is never cut. */
const maxSectionLength = 1_200;
/** Level 1 is the title of the document. */
const sectionDepth = 2;

export function toSections(markdown: string): readonly Section[] {
  const sections: Section[] = [];
  let path: readonly string[] = [];
  let open: { readonly heading: string; readonly start: number; end: number } | null = null;
  // Start of a deeper heading that waits for its text: it must not end the piece before.
  let leadStart: number | null = null;
  const close = (): void => {
    if (open !== null) sections.push({ heading: open.heading, text: markdown.slice(open.start, open.end).trim() });
    open = null;
  };

  for (const block of fromMarkdown(markdown).children) {
    const start = block.position?.start.offset ?? 0;
    const end = block.position?.end.offset ?? start;
    if (block.type === 'heading' && block.depth <= sectionDepth) {
      close();
      leadStart = null;
      path = block.depth === sectionDepth ? [toString(block)] : [];
    } else if (block.type === 'heading') {
      path = [...path.slice(0, block.depth - sectionDepth), toString(block)];
      leadStart ??= start;
    } else {
      if (open !== null && end - open.start > maxSectionLength) close();
      open ??= { heading: path.join(' › '), start: leadStart ?? start, end };
      open.end = end;
      leadStart = null;
    }
  }
  close();
  return sections;
}
