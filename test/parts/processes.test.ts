/** Children really started: where their output goes, and that none outlives its starter, however that ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createSupervisor, type Supervisor } from '../../src/parts/index.ts';
import { endStranger } from '../../src/parts/process-group.ts';
import { readStartTime } from '../../src/parts/process-identity.ts';
import { writeChildren } from '../../src/parts/children-file.ts';
import { useFolders } from './folders.ts';

const makeFolder = useFolders();
const supervisors: Supervisor[] = [];
afterEach(async () => {
  for (const supervisor of supervisors.splice(0)) await supervisor.stopAll();
});

function create(dataDir: string): Supervisor {
  const supervisor = createSupervisor({ dataDir });
  supervisors.push(supervisor);
  return supervisor;
}
const sleeper = { name: 'sleeper', command: '/bin/sh', args: ['-c', 'echo started; exec sleep 600'], env: process.env };

/** Resolves when the process is gone; nobody but its parent is told. */
async function waitForEnd(pid: number): Promise<void> {
  while ((await readStartTime(pid)) !== undefined) await new Promise((resolve) => setImmediate(resolve));
}

/** A starter in a process of its own, and the child that it started. */
async function startStarter(dataDir: string, watchdog: boolean) {
  const script = fileURLToPath(new URL('./starter.ts', import.meta.url));
  const starter = spawn(process.execPath, ['--import', 'tsx', script, dataDir, String(watchdog)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: starter.stdout }), 'line')) as [string];
  return { starter, childPid: Number(line) };
}

describe('a supervisor', () => {
  test('starts a child with its output in a log file and a record for its owner only', async () => {
    const dataDir = await makeFolder();
    const child = await create(dataDir).start({ ...sleeper, args: ['-c', 'echo out; echo err >&2; exit 3'] });
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(readFileSync(join(dataDir, 'logs', 'sleeper.log'), 'utf8')).toBe('out\nerr\n');
    expect(await child.readLogTail()).toBe('out\nerr\n');
  });

  test('records running children, readable by their owner only, and forgets ended ones', async () => {
    const dataDir = await makeFolder();
    const supervisor = create(dataDir);
    const child = await supervisor.start(sleeper);
    const record = join(dataDir, 'children.json');
    expect(statSync(record).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(record, 'utf8'))).toEqual([
      { name: 'sleeper', pid: child.pid, startTime: await readStartTime(child.pid) },
    ]);
    await child.stop();
    expect(existsSync(record)).toBe(false);
  });

  test('stops a child with everything that it started', async () => {
    const supervisor = create(await makeFolder());
    const child = await supervisor.start({ ...sleeper, args: ['-c', 'sleep 600 & echo $!; wait'] });
    let grandchild = '';
    while (grandchild === '') grandchild = (await child.readLogTail()).trim();
    await supervisor.stopAll();
    await waitForEnd(Number(grandchild));
    expect(await readStartTime(child.pid)).toBeUndefined();
  });

  test('ends a child that ignores SIGTERM after its grace', async () => {
    const supervisor = create(await makeFolder());
    const child = await supervisor.start({
      ...sleeper,
      args: ['-c', "trap '' TERM; echo ready; while :; do sleep 0.1; done"],
      graceMs: 200,
    });
    while ((await child.readLogTail()) === '') await new Promise((resolve) => setImmediate(resolve));
    await child.stop();
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('says which program cannot be started, and starts nothing once it is being stopped', async () => {
    const supervisor = create(await makeFolder());
    await expect(supervisor.start({ ...sleeper, command: '/nowhere/temporal' })).rejects.toMatchObject({
      name: 'PartError',
      kind: 'missing_tool',
      message: expect.stringContaining('/nowhere/temporal'),
    });
    await supervisor.stopAll();
    await expect(supervisor.start(sleeper)).rejects.toMatchObject({ kind: 'aborted' });
  });
});

describe('a killed starter', () => {
  test('takes its children along, by the watchdog', async () => {
    const { starter, childPid } = await startStarter(await makeFolder(), true);
    expect(await readStartTime(childPid)).toBeDefined();
    starter.kill('SIGKILL');
    await waitForEnd(childPid);
  });

  test('leaves children behind when its watchdog is gone too, and the next start ends them', async () => {
    const dataDir = await makeFolder();
    const { starter, childPid } = await startStarter(dataDir, false);
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    expect(await readStartTime(childPid)).toBeDefined();
    expect(await create(dataDir).endLeftovers()).toEqual(['sleeper']);
    await waitForEnd(childPid);
    expect(existsSync(join(dataDir, 'children.json'))).toBe(false);
  });

  test('never has a stranger ended that got the number of a child', async () => {
    const dataDir = await makeFolder();
    const stranger = spawn('/bin/sleep', ['600'], { detached: true, stdio: 'ignore' });
    const pid = stranger.pid ?? 0;
    try {
      writeChildren(join(dataDir, 'children.json'), [{ name: 'temporal', pid, startTime: 'earlier' }]);
      expect(await create(dataDir).endLeftovers()).toEqual([]);
      expect(await readStartTime(pid)).toBeDefined();
    } finally {
      await endStranger(pid, (await readStartTime(pid)) ?? '', 1000);
    }
  });
});
