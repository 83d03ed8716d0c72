// The kit's documentation names what there is, and nothing else.

import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from '@jest/globals';
import * as behaviours from '../../testing/upstream/behaviours.ts';
import { violationMeanings } from '../../testing/transcript-checker.ts';

let rows: readonly (readonly string[])[];
beforeAll(async () => {
  const text = await readFile(new URL('../../docs/testing-your-agents.md', import.meta.url), 'utf8');
  rows = text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
});

test('each violation is documented with its meaning', () => {
  const documented = rows.filter(([name = '']) => name.slice(1, -1) in violationMeanings);
  expect(Object.fromEntries(documented.map(([name = '', meaning]) => [name.slice(1, -1), meaning]))).toEqual(
    violationMeanings,
  );
});

test('each behaviour of the model server is documented', () => {
  const documented = rows.flatMap(([name = '']) => [...name.matchAll(/`(\w+)\(/g)].map(([, called]) => called));
  const constructors = Object.entries(behaviours).flatMap(([name, value]) =>
    typeof value === 'function' ? [name] : [],
  );
  expect(constructors.filter((name) => !documented.includes(name))).toEqual([]);
});
