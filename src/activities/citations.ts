// Which sources an answer names, and which of those it was never given. A finding, not a judgement. Pure.

import type { Citation, ContextItem } from '../protocol/events.ts';

/** A document's sign as runbooks use it: letters, a hyphen, digits (`RB-012`). */
const signPattern = /\b[A-Z]{2,}-\d+\b/g;

export function findCitations(
  answer: string,
  context: readonly ContextItem[],
): { readonly citations: readonly Citation[]; readonly unsupported: readonly string[] } {
  const named = new Set(answer.match(signPattern) ?? []);
  const citations: Citation[] = [];
  const given = new Set<string>();
  for (const { id, source } of context) {
    const signs = source.match(signPattern) ?? [source];
    signs.forEach((sign) => given.add(sign));
    const isNamed = signs.some((sign) => named.has(sign) || answer.includes(source));
    if (isNamed && !citations.some((c) => c.id === id)) citations.push({ id, source });
  }
  return { citations, unsupported: [...named].filter((sign) => !given.has(sign)) };
}
