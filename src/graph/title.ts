// A conversation's first title: what its owner wrote first. No model is asked for a better one, because every call of a
// model is a step that the user sees.

const maxTitleLength = 80;

/** First line with text, cut to 80 UTF-16 units, never inside a surrogate pair. */
export function toTitle(text: string): string {
  const line = text.trim().split(/[\r\n\u2028\u2029]/u, 1)[0] ?? '';
  const cut = line.slice(0, maxTitleLength);
  const last = cut.charCodeAt(cut.length - 1);
  const isHalf = line.length > cut.length && last >= 0xd800 && last <= 0xdbff;
  return (isHalf ? cut.slice(0, -1) : cut).trimEnd();
}
