// `npm run check`: all steps, as many at once as there are cores, the longest first. Every problem is printed, not only
// the first, because whoever repairs one wants to know of the others.

import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';
import { clientBundle } from './client-bundle.ts';
import { command } from './command.ts';
import { documents } from './documents.ts';
import { honesty } from './honesty.ts';
import { privateNames } from './private-names.ts';
import type { Step } from './step.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = 'node_modules/.cache';

// tsc judges its own cache by the content of every file. ESLint would judge by the one file only, and its rules here
// look through types into others: it has no cache.
const types = (program: string): Step => {
  const buildInfo = `${cache}/tsc/${program}.tsbuildinfo`;
  const project = `tsconfig.${program}.json`;
  return command(root, `types ${program}`, 'tsc', '-p', project, '--incremental', '--tsBuildInfoFile', buildInfo);
};

const steps: readonly Step[] = [
  command(
    root,
    'lint',
    'eslint',
    'src',
    'test',
    'testing',
    'bench',
    'demo',
    'examples',
    'checks',
    '--max-warnings',
    '0',
  ),
  types('node'),
  command(root, 'lint web', 'eslint', 'web', '--max-warnings', '0'),
  types('web'),
  command(root, 'format', 'prettier', '--check', '.', '--log-level', 'warn', '--cache', '--cache-strategy', 'content'),
  bundle(),
  clientBundle(),
  types('workflows'),
  command(
    root,
    'layers',
    'depcruise',
    '--config',
    '.dependency-cruiser.cjs',
    'src',
    'web',
    'test',
    'testing',
    'bench',
    'examples',
    'checks',
  ),
  command(root, 'unused', 'knip', '--no-progress'),
  honesty(root),
  documents(root),
  privateNames(root),
];

/** Resolves with the exit code. */
export async function runChecks(): Promise<number> {
  const began = Date.now();
  const waiting = [...steps];
  const red: string[] = [];
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const problems = await runStep(step);
      if (problems.length > 0) red.push(step.name);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, work));
  const verdict = red.length === 0 ? `${steps.length} steps passed` : `failed: ${red.join(', ')}`;
  console.log(`${verdict} in ${toSeconds(began)}`);
  return red.length === 0 ? 0 : 1;
}

async function runStep(step: Step): Promise<readonly string[]> {
  const began = Date.now();
  const problems = await step.run();
  const note = problems.length === 0 && step.note !== undefined ? `  ${step.note()}` : '';
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${step.name.padEnd(16)} ${toSeconds(began)}${note}`);
  for (const problem of problems) console.log(problem.replace(/^/gm, '     '));
  return problems;
}

const toSeconds = (beganMs: number): string => `${((Date.now() - beganMs) / 1_000).toFixed(1).padStart(5)} s`;
