// The way to the first token in one process, as stretches between marks, and whose time each of them is.

import type { Table } from './benchmark.ts';
import { figureHead, toCells, toFigures } from './figures.ts';

export type Owner = 'Temporal' | 'Neo4j' | 'Candor';

/** Consecutive: name, whose time it is, and the marks between which it lies. */
const stretches = [
  ['frame → gateway', 'Candor', 'sent', 'turn begin'],
  ['Neo4j: is the id taken', 'Neo4j', 'turn begin', 'turn end'],
  ['start → workflow → sink (turn_accepted)', 'Temporal', 'turn end', 'lane turn_accepted'],
  ['hop to retrieveAgent', 'Temporal', 'lane turn_accepted', 'retrieveAgent begin'],
  ['what is still to be read, and the prompt', 'Neo4j', 'retrieveAgent begin', 'linkForeseen begin'],
  ['Neo4j: link the turn, save the prompt', 'Neo4j', 'linkForeseen begin', 'linkForeseen end'],
  ['hop back to the workflow (agent_thinking)', 'Temporal', 'linkForeseen end', 'lane agent_thinking'],
  ['hop to stream', 'Temporal', 'lane agent_thinking', 'stream begin'],
  ['openai client → model server', 'Candor', 'stream begin', 'upstream received'],
  ['model server: first chunk', 'Candor', 'upstream received', 'upstream written'],
  ['openai client → lane', 'Candor', 'upstream written', 'lane delta'],
  ['lane → feed → socket → client', 'Candor', 'lane delta', 'first token'],
] as const satisfies readonly (readonly [string, Owner, string, string])[];

/** Beside the way: begun with the workflow, while Temporal hands over the step. */
const besides = [
  ['Neo4j: look at the conversation, its history', 'foresee begin', 'foresee end'],
  ['read the agent, search the knowledge in Neo4j', 'foresee begin', 'searchKnowledge end'],
] as const;

export interface Parts {
  readonly stretchesMs: readonly number[];
  readonly besidesMs: readonly number[];
}

/** @param at the time of a mark; throws for one that was not set */
export const toParts = (at: (mark: string) => number): Parts => ({
  stretchesMs: stretches.map(([, , from, to]) => at(to) - at(from)),
  besidesMs: besides.map(([, from, to]) => at(to) - at(from)),
});

/** The sum of an owner's stretches in one turn, in milliseconds. */
const sumOf = ({ stretchesMs }: Parts, owner: Owner): number =>
  stretches.reduce((sum, [, whose], index) => (whose === owner ? sum + (stretchesMs[index] ?? 0) : sum), 0);

/** Median of an owner's share, the model server called directly taken from Candor's. */
export function toShareMs(samples: readonly (Parts & { readonly directMs: number })[], owner: Owner): number {
  return toFigures(samples.map((one) => sumOf(one, owner) - (owner === 'Candor' ? one.directMs : 0))).p50;
}

export function toPartTables(samples: readonly Parts[]): readonly Table[] {
  return [
    {
      title: 'Where the time up to the first token goes, in one process',
      head: ['stretch', 'whose', ...figureHead],
      rows: stretches.map(([name, owner], index) => [
        name,
        owner,
        ...toCells(toFigures(samples.map(({ stretchesMs }) => stretchesMs[index] ?? 0))),
      ]),
    },
    {
      title: 'Beside it, from the moment the workflow has begun',
      head: ['part', ...figureHead],
      rows: besides.map(([name], index) => [
        name,
        ...toCells(toFigures(samples.map(({ besidesMs }) => besidesMs[index] ?? 0))),
      ]),
    },
  ];
}
