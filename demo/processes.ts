// Two Candors on one Temporal and one Neo4j, each a process of its own with gateway and worker: what one began the other
// can finish.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface CandorProcess {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
  /** Ends it as a crash would; resolves when it is gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface CandorProcesses {
  /** Where receipts and keys are saved. */
  readonly folder: string;
  start(name: string): Promise<CandorProcess>;
  /** Runs `candor` with these arguments to its end. */
  run(...args: string[]): Promise<{ readonly code: number | null; readonly output: string }>;
  close(): Promise<void>;
}

/** @param env what all of them share: the servers' addresses, the model, the secret of the tokens */
export async function createCandorProcesses(env: Readonly<Record<string, string>>): Promise<CandorProcesses> {
  const folder = await mkdtemp(join(tmpdir(), 'candor-demo-'));
  const running = new Set<ChildProcess>();
  const launch = (name: string, args: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, [join(root, 'bin/candor.mjs'), ...args], {
      cwd: folder,
      env: { ...process.env, ...env, CANDOR_DATA_DIR: join(folder, name), CANDOR_SKIP_INSTALL: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    return child;
  };
  const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };

  return {
    folder,
    async start(name) {
      await mkdir(join(folder, name), { mode: 0o700 });
      const child = launch(name, ['start']);
      const url = await untilPrinted(child, /Candor +(http:\/\/127\.0\.0\.1:\d+)/);
      return {
        name,
        pid: child.pid ?? 0,
        url,
        kill: () => end(child, 'SIGKILL'),
        stop: () => end(child, 'SIGTERM'),
      };
    },
    async run(...args) {
      const child = launch('commands', args);
      let output = '';
      child.stdout?.on('data', (data: Buffer) => (output += data.toString('utf8')));
      child.stderr?.on('data', (data: Buffer) => (output += data.toString('utf8')));
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, output };
    },
    async close() {
      await Promise.all([...running].map((child) => end(child, 'SIGTERM')));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function untilPrinted(child: ChildProcess, pattern: RegExp): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    const look = (data: Buffer): void => {
      output += data.toString('utf8');
      const found = pattern.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('exit', () => reject(new Error(`unable to start Candor; it ended:\n${output}`)));
  });
}
