// What is published of the results: charts, and the parts of README.md and docs/benchmarks.md between markers. Written
// from the JSON and never by hand, so that no page says anything else than what was measured.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toBlocks } from './blocks.ts';
import { drawChart } from './chart.ts';
import { fillBlocks, toMarker } from './page-blocks.ts';
import { listResults, type Kind, type Result } from './results.ts';

const pageOfAll = 'docs/benchmarks.md';
const pages = [
  { path: 'README.md', imagesPath: 'docs/images/' },
  { path: pageOfAll, imagesPath: 'images/' },
] as const;

/** Published files by path, relative to the root, as the results say they should be. */
async function buildPages(root: string, names: readonly string[], kind: Kind): Promise<ReadonlyMap<string, string>> {
  const results = await listResults(root, kind);
  const built = new Map<string, string>();
  for (const { path, imagesPath } of pages) {
    const text = await readFile(join(root, path), 'utf8');
    built.set(path, fillBlocks(path, text, toBlocks({ names, results, imagesPath })));
  }
  for (const [name, svg] of toPictures(names, results)) built.set(`docs/images/bench-${name}.svg`, svg);
  return built;
}

function toPictures(names: readonly string[], results: readonly Result[]): readonly (readonly [string, string])[] {
  const drawn = names.flatMap((name) =>
    results.flatMap(({ name: of, charts = [] }) => (of === name && charts.length > 0 ? [{ name, charts }] : [])),
  );
  const each = drawn.map(({ name, charts }) => {
    const layout = charts.length > 1 ? { columns: 2, panelPx: 420 } : { columns: 1, panelPx: 640 };
    return [name, drawChart(charts, { title: `Benchmark ${name}`, ...layout })] as const;
  });
  const overview = drawn.flatMap(({ charts }) => charts.filter(({ inOverview }) => inOverview === true));
  if (overview.length === 0) return each;
  return [['overview', drawChart(overview, { title: 'Candor, measured', columns: 2, panelPx: 420 })], ...each];
}

/** Resolves with the paths that were written, relative to the root. */
export async function writePages(root: string, names: readonly string[], kind: Kind): Promise<readonly string[]> {
  const built = await buildPages(root, names, kind);
  for (const [path, text] of built) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return [...built.keys()];
}

/** Published files that say something else than the results, and benchmarks that no page tells of. */
export async function findStalePages(root: string, names: readonly string[]): Promise<readonly string[]> {
  const built = await buildPages(root, names, { quick: false });
  const untold = names.filter((name) => built.get(pageOfAll)?.includes(toMarker(name)) !== true);
  const now = await Promise.all([...built.keys()].map((path) => readOrNull(join(root, path))));
  return [
    ...[...built].flatMap(([path, text], index) =>
      now[index] === text ? [] : [`${path} is not what bench/results give; run npm run bench -- --report`],
    ),
    ...untold.map((name) => `${pageOfAll} does not tell of the benchmark ${name}; it has no ${toMarker(name)}`),
  ];
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
