// A benchmark that was measured is kept and said; one that fails has its reason printed, and the others still run.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { history } from '../../bench/history.ts';
import { readCommit, readMachine } from '../../bench/machine.ts';
import { measureOne } from '../../bench/measure-one.ts';
import { listResults, maxSamples, thin } from '../../bench/results.ts';
import { runSeries } from '../../bench/series.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'candor-bench-'));
});
afterAll(() => rm(root, { recursive: true }));

const checkout = fileURLToPath(new URL('../..', import.meta.url));

test('I3: a benchmark runs against the real servers and leaves its figures with what they were measured on', async () => {
  const said: string[] = [];
  const machine = await readMachine(process.env, 0.5);
  const source = await readCommit(checkout);
  let nowMs = Date.parse('2026-01-02T03:04:05.000Z') - 7_000;
  const tick = (): number => (nowMs += 7_000);
  await measureOne(history, { root, quick: true, machine, source, nowMs: tick, say: (text) => said.push(text) });

  expect(said.join('\n')).toMatch(/\| answer of 20 tokens \| \d+ \| \d+ \|/);
  expect(await listResults(root, { quick: false })).toEqual([]);
  const [result] = await listResults(root, { quick: true });
  expect(result).toMatchObject({
    name: 'history',
    quick: true,
    measuredAt: '2026-01-02T03:04:05.000Z',
    tookS: 7,
    commit: expect.stringMatching(/^[0-9a-f]{12}$/),
    machine: { loadBefore: 0.5, servers: { temporal: expect.any(String), neo4j: expect.any(String) } },
  });
  const kept = await readFile(join(root, 'bench', 'results', 'quick', 'history.json'), 'utf8');
  expect(kept).not.toContain(checkout);
});

describe('a series', () => {
  const codes: Readonly<Record<string, number>> = { good: 0, bad: 3 };
  const run = async (names: readonly string[]) => {
    const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      const runNode = async (args: readonly string[]): Promise<number | null> => codes[args[3] ?? ''] ?? null;
      const code = await runSeries({ root: checkout, env: process.env, names, runNode, quick: true, loadBefore: 0 });
      return { code, said: log.mock.calls.flat().join('\n') };
    } finally {
      log.mockRestore();
    }
  };

  test('runs on after one that fails, and ends with 1', async () => {
    const { code, said } = await run(['good', 'bad', 'killed', 'good']);
    expect(code).toBe(1);
    expect(said).toMatch(/ok {3}good .*\nFAIL bad .*\nFAIL killed .*\nok {3}good /);
  });

  test('ends with 0 when all were measured', async () => {
    expect(await run(['good'])).toMatchObject({ code: 0 });
  });
});

describe('samples', () => {
  test('of a long list are thinned evenly, with both ends, and say how many there were', () => {
    const samples = Array.from({ length: 400 }, (_, n) => n + 0.000_4);
    const thinned = thin({ arm: samples }) as { arm: { of: number; samples: number[] } };
    expect(thinned.arm.of).toBe(400);
    expect(thinned.arm.samples).toHaveLength(maxSamples);
    expect([thinned.arm.samples[0], thinned.arm.samples.at(-1)]).toEqual([0, 399]);
  });

  test('of a short one stay as they are', () => {
    expect(thin([{ ms: 1.234_56, none: null, name: 'x' }])).toEqual([{ ms: 1.235, none: null, name: 'x' }]);
  });
});
