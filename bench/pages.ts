// What is published of the results: charts, and the parts of README.md and docs/benchmarks.md between markers. Written
// from the JSON and never by hand, so that no page says anything else than what was measured.

import type { Kind } from './results.ts';

/** Resolves with the paths that were written, relative to the root. */
export async function writePages(root: string, kind: Kind): Promise<readonly string[]> {
  void root;
  void kind;
  return [];
}
