import { afterEach, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const entry = path.resolve('src/parts/model-server/main.ts');
const children: ChildProcess[] = [];
const directories: string[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
});

/** The server with a library directory that is empty: everything but the model. */
async function createArguments(port: string): Promise<string[]> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'candor-model-server-'));
  directories.push(directory);
  const flags = [
    '--model',
    path.join(directory, 'tiny.gguf'),
    '--port',
    port,
    '--alias',
    'local',
    '--llama',
    directory,
  ];
  return ['--import', 'tsx', entry, ...flags];
}

async function readListening(child: ChildProcess): Promise<{ listening: string }> {
  children.push(child);
  if (child.stdout === null) throw new Error('the child has no output');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return JSON.parse(line) as { listening: string };
}

test('a model that cannot be loaded is shown at /health, and SIGTERM ends the process within a second', async () => {
  const child = spawn(process.execPath, await createArguments('0'), { stdio: ['ignore', 'pipe', 'ignore'] });
  const { listening } = await readListening(child);
  let health: { status: string; error?: string } = { status: 'loading' };
  while (health.status === 'loading') health = (await (await fetch(`${listening}/health`)).json()) as typeof health;
  expect(health).toMatchObject({ status: 'failed', error: expect.stringContaining('node-llama-cpp') });
  const startedMs = performance.now();
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(performance.now() - startedMs).toBeLessThan(1000);
});

test('it ends when the process that started it is killed', async () => {
  const args = await createArguments('0');
  const script = `require('child_process').spawn(process.execPath, ${JSON.stringify(args)}, { stdio: ['ignore', 'inherit', 'ignore'] })`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const { listening } = await readListening(parent);
  if (parent.stdout === null) throw new Error('the parent has no output');
  // The pipe is shared by both: it closes when the last of them is gone.
  const closed = once(parent.stdout, 'close');
  parent.stdout.resume();
  parent.kill('SIGKILL');
  await closed;
  await expect(fetch(`${listening}/health`)).rejects.toThrow('fetch failed');
});

test('a wrong flag is one sentence and exit code 1', async () => {
  const args = await createArguments('none');
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(errors).toMatch(/^unable to start the model server; --port must be a whole number.*\n$/);
});
