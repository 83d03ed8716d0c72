// Turns what a person asks into a query of Neo4j's full-text index. Only letters and digits get through, so that no
// text of a user is ever syntax of Lucene: not by a list of characters to escape, which a new version could outgrow.

// Words of questions that the index's English analyzer keeps. In a small set of documents they are rare, thus weigh
// much, and a question would find whatever else is asked instead of what it asks about.
const questionWords = new Set(
  'how what when where which who why do does did can could should would i me my we us our you your am have has get please'.split(
    ' ',
  ),
);

/** Lucene refuses more than 1,024 clauses; a word takes three. */
const maxWords = 100;

/** Any word may match; a heading weighs more than a title, a title more than the text. `null`: nothing to look for. */
export function toFullTextQuery(question: string): string | null {
  const words = question.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  const wanted = [...new Set(words)].filter((word) => !questionWords.has(word)).slice(0, maxWords);
  if (wanted.length === 0) return null;
  const any = wanted.join(' ');
  return `heading:(${any})^3 title:(${any})^2 text:(${any})`;
}
