// Benchmarks one after the other, each in a process of its own against the run's servers. One that fails has said why;
// the others still run.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The program that measures one. */
const measureFile = fileURLToPath(new URL('measure.ts', import.meta.url));

export interface SeriesOptions {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly names: readonly string[];
  /** Resolves with an exit code; absent: a Node of its own. */
  readonly runNode?: typeof spawnNode;
  readonly quick: boolean;
  /** Of the machine, before anything of ours ran. */
  readonly loadBefore: number;
}

/** Resolves with the exit code: 1 when one could not be measured. */
export async function runSeries(options: SeriesOptions): Promise<number> {
  const { root, env, names, runNode = spawnNode, quick, loadBefore } = options;
  const ran: { readonly name: string; readonly seconds: number; readonly code: number | null }[] = [];
  for (const [index, name] of names.entries()) {
    console.log(`\n── ${name}, ${index + 1} of ${names.length}\n`);
    const began = performance.now();
    const args = ['--import', 'tsx', measureFile, name, `${loadBefore}`, ...(quick ? ['--quick'] : [])];
    const code = await runNode(args, { cwd: root, env });
    ran.push({ name, seconds: (performance.now() - began) / 1_000, code });
  }
  console.log('');
  for (const { name, seconds, code } of ran)
    console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(14)} ${seconds.toFixed(0).padStart(5)} s`);
  return ran.every(({ code }) => code === 0) ? 0 : 1;
}

function spawnNode(args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<number | null> {
  const child = spawn(process.execPath, args, { ...options, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
}
