// What `npm run bench` is asked for: refused before a server starts, or known in full.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { parseCommand } from '../../bench/command.ts';
import { benchmarks } from '../../bench/main.ts';

const known = ['first-token', 'stop', 'kill'];
const parse = (...args: string[]) => parseCommand(args, known);

describe('the command line of the benchmarks', () => {
  test('without a name means all of them', () => {
    expect(parse()).toEqual({ do: 'measure', names: known, all: true, quick: false });
  });

  test('names run in the order of the list, whatever order they are given in', () => {
    expect(parse('kill', 'first-token', '--quick')).toEqual({
      do: 'measure',
      names: ['first-token', 'kill'],
      all: false,
      quick: true,
    });
  });

  test.each([
    [['--list'], { do: 'list', quick: false }],
    [['--report', '--quick'], { do: 'report', quick: true }],
    [['--help', 'stop'], { do: 'help' }],
  ])('%j needs no server', (args, command) => {
    expect(parse(...args)).toEqual(command);
  });

  test.each([
    [['stopp'], /stopp; no benchmark has that name/],
    [['--fast'], /--fast/],
    [['--quick=2'], /--quick/],
  ])('%j is refused with its reason', (args, reason) => {
    expect(parse(...args)).toEqual({ do: 'refuse', reason: expect.stringMatching(reason) });
  });
});

describe('npm run bench', () => {
  const program = fileURLToPath(new URL('../../bin/bench.mjs', import.meta.url));
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [program, ...args], { env: { ...process.env, CANDOR_SKIP_INSTALL: '1' } });

  test('-- --list names each benchmark and what it measures', async () => {
    const { stdout } = await run('--list');
    for (const { name, about } of benchmarks) expect(stdout).toMatch(new RegExp(`^${name} +${about}`, 'm'));
  });

  test('ends with 1 for a name that it does not know, and says which it knows', async () => {
    await expect(run('nothing')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('benchmarks: ') });
  });
});
