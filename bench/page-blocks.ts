// Parts of a Markdown page that are written by a program: `<!-- bench:KEY -->`, what it wrote, `<!-- bench:end -->`.
// Everything outside of the markers is a person's.

const marked = /^<!-- bench:(?!end )(\S+) -->\n[\s\S]*?^<!-- bench:end -->$/gm;
const anyMarker = /^<!-- bench:.*-->$/gm;

/** Where a block begins. */
export const toMarker = (key: string): string => `<!-- bench:${key} -->`;

/**
 * The page with its blocks written anew.
 *
 * @param blocks by key
 * @throws Error for a marker without its other half, or a key that nothing is written for
 */
export function fillBlocks(page: string, text: string, blocks: ReadonlyMap<string, string>): string {
  const [found, markers] = [text.match(marked) ?? [], text.match(anyMarker) ?? []];
  if (markers.length !== found.length * 2)
    throw new Error(`unable to write ${page}; a bench marker has no other half: ${markers.join(' ')}`);
  return text.replace(marked, (_, key: string) => {
    const block = blocks.get(key);
    if (block === undefined)
      throw new Error(`unable to write ${page}; bench:${key} is no block: ${[...blocks.keys()].join(', ')}`);
    return `${toMarker(key)}\n\n${block}\n\n<!-- bench:end -->`;
  });
}
