// `candor chat` as a script runs it: a process of its own with pipes, never a terminal.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../bin/candor.mjs', import.meta.url));
const ours = /^(OPENAI|TEMPORAL|NEO4J|MODEL|CANDOR|AUDIT|REDIS)_|^(PORT|HOST|NO_COLOR|TERM)$/;

export interface ChatProcess {
  /** Resolves when standard error has it; rejects when the process ends before. */
  untilTold(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Nobody reads its standard output any more. */
  stopReading(): void;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
}

/** The environment of a process that knows nothing of this machine's configuration. */
export function bareEnvironment(dataDir: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !ours.test(name));
  return { ...Object.fromEntries(inherited), CANDOR_DATA_DIR: dataDir, CANDOR_SKIP_INSTALL: '1' };
}

/** @param input standard input; absent: closed at once */
export async function startChat(args: readonly string[], input = '', dataDir?: string): Promise<ChatProcess> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'candor-chat-')));
  const child = spawn(process.execPath, [command, 'chat', ...args], {
    cwd: folder,
    env: bareEnvironment(folder),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  const readers = new Set<() => void>();
  child.stdout.on('data', (data: Buffer) => (out += data.toString('utf8')));
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString('utf8');
    for (const look of [...readers]) look();
  });
  child.stdin.end(input);
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      void (dataDir === undefined ? rm(folder, { recursive: true, force: true }) : Promise.resolve()).then(() =>
        resolve({ code, out, err }),
      );
    });
  });
  return {
    ended,
    kill: (signal) => void child.kill(signal),
    stopReading: () => void child.stdout.destroy(),
    untilTold: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(err)) resolve();
        };
        readers.add(look);
        void ended.then(({ code }) => reject(new Error(`ended with ${code} before ${pattern} was told:\n${err}`)));
        look();
      }),
  };
}
