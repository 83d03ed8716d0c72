// In which line of a TOML text a key stands. The parser gives values without positions, and an error that names no
// line sends its reader searching.

const header = /^\s*\[\[?\s*([^\]]+?)\s*\]\]?/;
const assignment = /^\s*([\w.-]+|"[^"]*"|'[^']*')\s*=/;

/** From 1: the line that sets `path`, or else the nearest table or key around it; `null` when there is none. */
export function findLine(toml: string, path: readonly string[]): number | null {
  let table: readonly string[] = [];
  let nearest: { readonly line: number; readonly depth: number } | null = null;
  for (const [index, line] of toml.split('\n').entries()) {
    const opened = header.exec(line)?.[1];
    if (opened !== undefined) table = toPath(opened);
    const assigned = assignment.exec(line)?.[1];
    const here = opened === undefined && assigned !== undefined ? [...table, ...toPath(assigned)] : table;
    if (opened === undefined && assigned === undefined) continue;
    if (here.every((name, depth) => path[depth] === name) && here.length > (nearest?.depth ?? 0)) {
      nearest = { line: index + 1, depth: here.length };
    }
  }
  return nearest?.line ?? null;
}

const toPath = (name: string): readonly string[] =>
  /^["'].*["']$/.test(name)
    ? [name.slice(1, -1)]
    : name.split('.').map((part) => part.trim().replace(/^["'](.*)["']$/, '$1'));
