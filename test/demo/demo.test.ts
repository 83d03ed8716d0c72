// The demonstration is run as a person runs it. It checks what it shows by itself: here its exit code counts, and that
// nothing of the story is missing.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';

jest.setTimeout(180_000);

const root = fileURLToPath(new URL('../..', import.meta.url));

test('A10: a killed process, a withdrawn try, a second device in the middle of a word, a receipt that verifies', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'candor-demo-test-'));
  const recording = join(folder, 'demo.svg');
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, 'demo/main.ts'), '--record', recording], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => (output += data.toString('utf8')));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  expect(`${code} ${code === 0 ? '' : output}`).toBe('0 ');
  for (const part of [
    /^kill -9 +process \d+, in the middle of «\w+\|\w+»$/m,
    /^event +try 1 of 4 failed: worker_lost; at least \d+ characters withdrawn; tried again$/m,
    /^phone +joins at character \d+, in the middle of a word$/m,
    /^event +completed and stored/m,
    /^verify +the receipt is valid/m,
    /^verify +with one character of the answer changed: answer_changed$/m,
  ]) {
    expect(output).toMatch(part);
  }
  expect(await readFile(recording, 'utf8')).toMatch(/^<svg [^>]+>\n<title>.*<\/svg>\n$/s);
  await rm(folder, { recursive: true });
});
