import { describe, expect, test } from '@jest/globals';
import { parsePsTime, parseStat, readProcessorMs } from '../../bench/processor-time.ts';

describe('processor time of a process', () => {
  test('is what /proc counts, also behind a name with brackets and spaces', () => {
    const stat = '77 (temporal (dev) x) S 1 77 77 0 -1 4194560 9 0 0 0 123 45 0 0 20 0 13 0 5 1 2\n';
    expect(parseStat(stat)).toBe(1_680);
  });

  test('is what ps says where there is no /proc', () => {
    expect(parsePsTime('  0:01.25\n')).toBe(1_250);
    expect(parsePsTime('01:02:03')).toBe(3_723_000);
    expect(parsePsTime('2-00:00:01')).toBe(172_801_000);
  });

  test('grows while this process works', async () => {
    const before = await readProcessorMs(process.pid);
    while ((await readProcessorMs(process.pid)) < before + 20);
  });

  test('of a process that is not there is an error, not 0', async () => {
    await expect(readProcessorMs(2 ** 22 + 1)).rejects.toThrow();
    expect(() => parsePsTime('')).toThrow('unable to read processor time');
  });
});
