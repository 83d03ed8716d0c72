// `npm start` as a person runs it: a process of its own, with data, ports and a working folder of its own, and nothing of
// this machine's configuration. What it prints, what it leaves in its data folder and how it ends is all that is seen.

import { spawn } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFree } from '../../src/parts/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ours = /^(OPENAI|TEMPORAL|NEO4J|MODEL|CANDOR|AUDIT|REDIS)_|^(PORT|HOST)$/;

export type Env = Readonly<Record<string, string>>;

export interface Home {
  /** Where the command is run: `candor.toml` is read from here. */
  readonly cwd: string;
  readonly dataDir: string;
  /** Free ports, and the folders of this checkout. */
  readonly env: Env;
  remove(): Promise<void>;
}

export async function createHome(): Promise<Home> {
  const cwd = await mkdtemp(join(tmpdir(), 'candor-start-'));
  const dataDir = join(cwd, 'data');
  await mkdir(dataDir, { mode: 0o700 });
  const ports: Record<string, string> = {};
  for (const name of ['PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT', 'NEO4J_PORT', 'MODEL_PORT']) {
    ports[name] = String(await findFree('127.0.0.1'));
  }
  const { CANDOR_TEST_CACHE_DIR: cache = '' } = process.env;
  const env = {
    ...ports,
    CANDOR_DATA_DIR: dataDir,
    CANDOR_CACHE_DIR: cache,
    CANDOR_AGENTS_DIR: join(root, 'agents'),
    CANDOR_KNOWLEDGE_DIR: join(root, 'knowledge'),
    // An installation in the middle of a test would pull the packages from under it.
    CANDOR_SKIP_INSTALL: '1',
  };
  return { cwd, dataDir, env, remove: () => rm(cwd, { recursive: true, force: true }) };
}

export interface Launched {
  readonly pid: number;
  /** Both streams in the order of arrival. */
  readonly output: string;
  /** Resolves with the first match of what is printed; rejects when the process ends without it. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}

/** @param args of `candor` */
export function launch(home: Home, args: readonly string[], env: Env = {}): Launched {
  const inherited = Object.entries(process.env).filter(([name]) => !ours.test(name));
  const [command, ...rest] = args;
  const script = command === 'start' ? ['bin/start.mjs', ...rest] : ['bin/candor.mjs', ...args];
  const [file = '', ...others] = script;
  const child = spawn(process.execPath, [join(root, file), ...others], {
    cwd: home.cwd,
    env: { ...Object.fromEntries(inherited), ...home.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const readers = new Set<() => void>();
  const take = (data: Buffer): void => {
    output += data.toString('utf8');
    for (const look of [...readers]) look();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: child.pid ?? 0,
    get output() {
      return output;
    },
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(output);
          if (match === null) return;
          readers.delete(look);
          resolve(match);
        };
        readers.add(look);
        void exited.then(({ code }) => reject(new Error(`ended with ${code} before ${pattern} came:\n${output}`)));
        look();
      }),
    exited,
    kill: (signal) => void child.kill(signal),
  };
}

/** Runs a command to its end. */
export async function run(
  home: Home,
  args: readonly string[],
  env: Env = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const launched = launch(home, args, env);
  const { code } = await launched.exited;
  return { code, output: launched.output };
}

/** Resolves when the file of the data folder is there. */
export async function untilFile({ dataDir }: Home, name: string): Promise<string> {
  const file = join(dataDir, name);
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(dataDir, look);
    look();
  });
  return file;
}

export interface ChildOfStart {
  readonly name: string;
  readonly pid: number;
}

/** What a start has recorded of its children; none without the record. */
export async function childrenOf({ dataDir }: Home): Promise<readonly ChildOfStart[]> {
  const file = join(dataDir, 'children.json');
  return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as ChildOfStart[]) : [];
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
