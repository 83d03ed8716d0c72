/** Running a registry's client: its output, its end, and that nothing of it is left when it is stopped. */
import { describe, expect, test } from '@jest/globals';
import { runCommand, toLastLine } from '../../src/parts/client-command.ts';
import { readStartTime } from '../../src/parts/process-identity.ts';
import { useFolders } from './folders.ts';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const makeFolder = useFolders();

describe('runCommand', () => {
  test('gives the exit code and both streams', async () => {
    expect(await runCommand('/bin/sh', ['-c', 'echo out; exec 1>&2; echo err; exit 3'])).toEqual({
      code: 3,
      output: 'out\nerr\n',
    });
  });

  test('says that a program is not there', async () => {
    await expect(runCommand('/nowhere/pip', [])).rejects.toMatchObject({ name: 'PartError', kind: 'missing_tool' });
  });

  test('ends a program that takes too long', async () => {
    await expect(runCommand('/bin/sleep', ['600'], { timeoutMs: 50 })).rejects.toMatchObject({
      kind: 'timeout',
      message: 'unable to finish /bin/sleep; it gave no result within 0.05 s',
    });
  });

  test('ends a program with what it started when it is stopped', async () => {
    const file = join(await makeFolder(), 'pid');
    const stop = new AbortController();
    const running = runCommand('/bin/sh', ['-c', `sleep 600 & echo $! > ${file}.new && mv ${file}.new ${file}; wait`], {
      signal: stop.signal,
    });
    running.catch(() => undefined);
    const pid = Number(await waitForFile(file));
    stop.abort();
    await expect(running).rejects.toMatchObject({ kind: 'aborted' });
    while ((await readStartTime(pid)) !== undefined) await new Promise((resolve) => setImmediate(resolve));
    await expect(runCommand('/bin/true', [], { signal: stop.signal })).rejects.toMatchObject({ kind: 'aborted' });
  });

  test('finds the line that says something', () => {
    expect(toLastLine('a\nERROR: no\n\n[notice] a newer pip\n')).toBe('ERROR: no');
    expect(toLastLine('')).toBe('no output');
  });
});

async function waitForFile(path: string): Promise<string> {
  for (;;) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOENT' });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
