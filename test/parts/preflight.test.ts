/** Room on disk and in memory, and the lines that tell of progress. */
import { describe, expect, test } from '@jest/globals';
import {
  checkDisk,
  checkMemory,
  createProgressRenderer,
  formatProgress,
  type PartsEvent,
} from '../../src/parts/index.ts';
import { readFreeDisk, readFreeMemory } from '../../src/parts/preflight.ts';
import { createMeter } from '../../src/parts/progress.ts';
import { useFolders } from './folders.ts';

const makeFolder = useFolders();

describe('preflight', () => {
  test('reads the real disk, also for a folder that does not exist yet', async () => {
    const folder = await makeFolder();
    expect(await readFreeDisk(`${folder}/not/yet`)).toBeGreaterThan(0);
    await checkDisk({ folder: `${folder}/not/yet`, bytes: 1, what: 'nothing', variable: 'X' });
  });

  test('says how much is needed, how much is free and what to do', async () => {
    const need = { folder: '/data', bytes: 2.5e9, what: 'the model', variable: 'CANDOR_CACHE_DIR' };
    await expect(checkDisk(need, async () => 1.2e9)).rejects.toMatchObject({
      kind: 'disk_full',
      message:
        'unable to fetch the model; 2.5 GB are needed in /data and 1.2 GB are free; free some space, or set CANDOR_CACHE_DIR to a folder on a larger disk',
    });
    expect(() => {
      checkMemory(3e9, 'use --model small', 1e9);
    }).toThrow('unable to start; 3.0 GB of memory are needed and 1.0 GB are free; use --model small');
    expect(readFreeMemory()).toBeGreaterThan(0);
  });
});

describe('progress', () => {
  test('tells size, speed and time left, counting only what came in this run', () => {
    const events: PartsEvent[] = [];
    let nowMs = 0;
    const meter = createMeter({
      name: 'model',
      totalBytes: 100e6,
      startBytes: 40e6,
      report: (event) => events.push(event),
      now: () => nowMs,
    });
    nowMs = 2000;
    meter.at(60e6);
    expect(events.map((event) => (event.kind === 'progress' ? formatProgress(event) : ''))).toEqual([
      'model: 60 of 100 MB, 10 MB/s, 4 s left',
    ]);
  });

  test('rewrites one line on a terminal, and writes a line now and then elsewhere', () => {
    const written: string[] = [];
    const output = { isTTY: true, columns: 80, write: (text: string) => written.push(text) };
    const event = {
      kind: 'progress',
      name: 'model',
      bytes: 5e6,
      totalBytes: 10e6,
      bytesPerSecond: 1e6,
      secondsLeft: 5,
    } as const;
    const render = createProgressRenderer(output);
    render(event);
    render({ ...event, bytes: 10e6, secondsLeft: 0 });
    render({ kind: 'line', text: 'done' });
    expect(written.join('')).toBe(
      '\r\u001b[2Kmodel: 5.0 of 10 MB, 1.0 MB/s, 5 s left\r\u001b[2Kmodel: 10 of 10 MB, 1.0 MB/s, 0 s left\ndone\n',
    );
    written.length = 0;
    let nowMs = 0;
    const plain = createProgressRenderer({ ...output, isTTY: false }, { now: () => nowMs });
    for (nowMs = 0; nowMs < 10_000; nowMs += 1000) plain(event);
    expect(written).toHaveLength(2);
  });
});
