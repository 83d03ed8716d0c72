// What the pages show of the results: the overview, the bars, the comparison, and the figures of each benchmark.

import type { Chart, Headlines } from './benchmark.ts';
import { toAltText } from './chart.ts';
import { toComparison } from './comparison.ts';
import { toRows, toTable } from './markdown.ts';
import { otherProducts } from './other-products.ts';
import type { Result } from './results.ts';

export interface BlockOptions {
  /** Of all benchmarks, in their order. */
  readonly names: readonly string[];
  readonly results: readonly Result[];
  /** From the page to the pictures, ends with a slash. */
  readonly imagesPath: string;
}

/** By key: `overview`, `bars`, `others`, and the name of each benchmark. */
export function toBlocks({ names, results, imagesPath }: BlockOptions): ReadonlyMap<string, string> {
  const inOrder = names.flatMap((name) => results.filter((result) => result.name === name));
  const overview = inOrder.flatMap(({ charts = [] }) => charts.filter(({ inOverview }) => inOverview === true));
  return new Map([
    ['overview', overview.length === 0 ? '' : `![${toImageText(overview)}](${imagesPath}bench-overview.svg)`],
    ['bars', toBars(inOrder)],
    ['others', toComparison(toHeadlines(inOrder), otherProducts)],
    ...names.map((name): [string, string] => {
      const result = inOrder.find((one) => one.name === name);
      return [name, result === undefined ? 'Not measured yet.' : toFigures(result, imagesPath)];
    }),
  ]);
}

function toBars(results: readonly Result[]): string {
  const rows = results.flatMap(({ bars }) => bars.map(({ bar, measured, met }) => [bar, measured, met ? 'yes' : 'no']));
  return `${toRows(['bar', 'measured', 'met'], rows)}\n\n${toCircumstances(results)}`;
}

const toHeadlines = (results: readonly Result[]): Headlines =>
  Object.assign({}, ...results.map(({ headlines }) => headlines ?? {})) as Headlines;

function toFigures(result: Result, imagesPath: string): string {
  const { name, tables, charts = [] } = result;
  const picture = charts.length === 0 ? [] : [`![${toImageText(charts)}](${imagesPath}bench-${name}.svg)\n`];
  return [...picture, ...tables.map(toTable), toCircumstances([result])].join('\n').trim();
}

/** Brackets would end the text of a picture. */
const toImageText = (charts: readonly Chart[]): string => charts.map(toAltText).join(' ').replaceAll(/[[\]]/g, '');

/** On what it was measured, once for all that were measured alike, and which of them on a busy machine. */
function toCircumstances(results: readonly Result[]): string {
  const alike = [...new Set(results.map(toMachine))];
  const busy = results.filter(({ machine }) => machine.loadBefore > machine.cores / 2);
  const loads = busy.map(({ name, machine }) => `${name} (load ${machine.loadBefore})`).join(', ');
  const quick = results.some((result) => result.quick) ? [' **Quick runs, not to be published.**'] : [];
  return [...alike, ...(busy.length === 0 ? [] : [` **The machine was busy before ${loads}.**`]), ...quick]
    .join('')
    .trim();
}

function toMachine({ machine, measuredAt }: Result): string {
  const { node, cores, os, servers } = machine;
  const named = [
    ['Temporal', servers.temporal],
    ['Neo4j', servers.neo4j],
    ['Redis', servers.redis],
  ].flatMap(([name, version]) => (version === null ? [] : [`${name} ${version}`]));
  const on = `${cores} cores with everything on them, ${os}, Node ${node.slice(1)}`;
  return ` Measured on ${measuredAt.slice(0, 10)}: ${[on, ...named].join(', ')}.`;
}
