/**
 * Starts the real servers as children and ends them, whatever happens: each in a group of its own with its output in a log
 * file, recorded for the next start, watched in case this process is killed, stopped in the reverse order of their start.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { readChildren, writeChildren, type ChildRecord } from './children-file.ts';
import type { Env } from './context.ts';
import { createDiskFullError, isDiskFull, PartError } from './part-error.ts';
import { endStranger, signalGroup } from './process-group.ts';
import { readStartTime } from './process-identity.ts';
import { watchOverGroup } from './watchdog.ts';

export interface ChildSpec {
  /** Of its log file too: `temporal` writes `logs/temporal.log`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Env;
  readonly cwd?: string;
  /** Time from SIGTERM to SIGKILL; default 10 s. */
  readonly graceMs?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<Exit>;
  /** The end of the log since this child's start, at most 4 KiB. */
  readLogTail(): Promise<string>;
  /** Ends it with its whole group; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface Supervisor {
  /** Throws `PartError` `missing_tool` when the program cannot be started, `aborted` once `stopAll` was called. */
  start(spec: ChildSpec): Promise<Child>;
  /** Ends the children of an earlier, killed start on the same data; returns their names. */
  endLeftovers(): Promise<readonly string[]>;
  /** Ends all children, the last started first. Nothing can be started afterwards. */
  stopAll(): Promise<void>;
}

/** One for each data folder. `watchdog: false` leaves the children of a killed start to the next one. */
export function createSupervisor(options: { readonly dataDir: string; readonly watchdog?: boolean }): Supervisor {
  const { dataDir, watchdog = true } = options;
  const recordFile = join(dataDir, 'children.json');
  const logDir = join(dataDir, 'logs');
  const children: Child[] = [];
  let records: readonly ChildRecord[] = [];
  let stopping = false;

  const forget = (child: Child): void => {
    const index = children.indexOf(child);
    if (index !== -1) children.splice(index, 1);
    records = records.filter((record) => record.pid !== child.pid);
    writeChildren(recordFile, records);
  };

  return {
    async start(spec) {
      if (stopping) throw new PartError('aborted', `unable to start ${spec.name}; everything is being stopped`);
      try {
        mkdirSync(logDir, { recursive: true });
        const started = await startChild(spec, join(logDir, `${spec.name}.log`), watchdog);
        children.push(started.child);
        void started.child.exited.then(() => {
          forget(started.child);
        });
        if (started.startTime !== undefined) {
          records = [...records, { name: spec.name, pid: started.child.pid, startTime: started.startTime }];
          writeChildren(recordFile, records);
        }
        // `stopAll` may have come while the start time was being read.
        if (stopping) await started.child.stop();
        return started.child;
      } catch (error) {
        throw isDiskFull(error)
          ? createDiskFullError(`the log of ${spec.name}`, dataDir, error, 'CANDOR_DATA_DIR')
          : error;
      }
    },
    async endLeftovers() {
      const own = new Set(records.map((record) => record.pid));
      const leftovers = readChildren(recordFile).filter((record) => !own.has(record.pid));
      const ended: string[] = [];
      for (const { name, pid, startTime } of leftovers) {
        if ((await readStartTime(pid)) !== startTime) continue;
        await endStranger(pid, startTime, 10_000);
        ended.push(name);
      }
      writeChildren(recordFile, records);
      return ended;
    },
    async stopAll() {
      stopping = true;
      for (const child of [...children].reverse()) await child.stop();
    },
  };
}

async function startChild(
  spec: ChildSpec,
  logFile: string,
  watchdog: boolean,
): Promise<{ readonly child: Child; readonly startTime: string | undefined }> {
  const graceMs = spec.graceMs ?? 10_000;
  const log = openSync(logFile, 'a', 0o600);
  let running: ChildProcess;
  const logStart = await sizeOf(logFile);
  try {
    running = spawn(spec.command, spec.args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...spec.env },
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    });
  } finally {
    closeSync(log);
  }
  await new Promise<void>((resolve, reject) => {
    running.once('spawn', resolve);
    running.once('error', (error) => {
      reject(
        new PartError(
          'missing_tool',
          `unable to start ${spec.name}; ${error.message}; check that ${spec.command} can be run`,
          { cause: error },
        ),
      );
    });
  });
  const pid = running.pid;
  if (pid === undefined)
    throw new PartError('missing_tool', `unable to start ${spec.name}; ${spec.command} got no process number`);
  const callOff = watchdog ? watchOverGroup(pid, graceMs) : undefined;
  const exited = new Promise<Exit>((resolve) => {
    const settle = (code: number | null, signal: NodeJS.Signals | null): void => {
      // What the leader started and left behind.
      signalGroup(pid, 'SIGKILL');
      callOff?.();
      resolve({ code, signal });
    };
    if (running.exitCode !== null || running.signalCode !== null) settle(running.exitCode, running.signalCode);
    else running.once('exit', settle);
  });
  const child: Child = {
    name: spec.name,
    pid,
    logFile,
    exited,
    readLogTail: () => readTail(logFile, logStart),
    async stop() {
      if (running.exitCode === null && running.signalCode === null) signalGroup(pid, 'SIGTERM');
      const timer = setTimeout(() => {
        signalGroup(pid, 'SIGKILL');
      }, graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
  return { child, startTime: await readStartTime(pid) };
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

async function readTail(path: string, start: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const from = Math.max(start, size - 4096);
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(Math.max(0, size - from)),
      0,
      Math.max(0, size - from),
      from,
    );
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
