// What an answer that nobody gave sounds like. One list for everybody who looks for such sentences: the gate over the
// source, the checker of transcripts, and the tests that read stores and histories.

const sentences: readonly RegExp[] = [
  /\bI(?:'m| am) (?:very |so )?sorry\b/i,
  /\b(?:I|we) apologi[sz]e\b|\bour apologies\b/i,
  /\bsorry,/i,
  /\bas an AI\b/i,
  /\bI (?:can(?:'t|not)|could(?:n't| not)|am unable to) (?:help|assist|answer|find|process|generate)\b/i,
  /\b(?:something|that) went wrong\b/i,
  /\bplease try again\b|\btry again later\b/i,
  /\bno (?:response|answer|reply) (?:was |could be )?(?:generated|available|received)\b/i,
  /\blorem ipsum\b/i,
  /\b(?:fallback|default|placeholder|canned|dummy|mock(?:ed)?) (?:answer|response|reply|text|message)\b/i,
];

/** The words of `text` that sound like an answer that nobody gave, as they stand there; `null` when there are none. */
export function findBannedSentence(text: string): string | null {
  for (const sentence of sentences) {
    const found = sentence.exec(text);
    if (found !== null) return found[0];
  }
  return null;
}
