// The lines between workers and whoever watches them, put together: the line of the worker in this process, the watch
// over the others, what a death means for open turns, and stops that reach a worker at once. None of it is needed for a
// right end: without it the engine's heartbeats decide, later.

import { hostname } from 'node:os';
import type { Client } from '@temporalio/client';
import type { TurnId } from '../protocol/ids.ts';
import type { LiveLane } from '../protocol/ports.ts';
import { toIdentity } from '../worker-line/line-address.ts';
import { openLine, type LineServer } from '../worker-line/line-server.ts';
import { pause } from '../worker-line/line-watch.ts';
import { readMachineMark } from '../worker-line/machine-mark.ts';
import { createWatcher } from '../worker-line/watcher.ts';
import type { Logger } from './log.ts';
import { createOpenActivities } from './open-activities.ts';

export interface WorkerLinesOptions {
  readonly client: Client;
  readonly taskQueue: string;
  readonly lane: LiveLane;
  readonly log: Logger;
  /** `null`: no worker in this process. Its `host` is the address of its line; `null`: it has none. */
  readonly worker: { readonly host: string | null } | null;
}

export interface WorkerLines {
  /** For the worker of this process. */
  readonly identity: string;
  /** After the durable signal was acknowledged. */
  requestStop(turnId: TurnId, requestedAt: string): void;
  /** The worker of this process has ended in order. */
  goodbye(): Promise<void>;
  close(): Promise<void>;
}

/**
 * When a dead worker's activities are looked for, in milliseconds after the news: a task may have been handed to it in
 * the moment of its death, and lists of open workflows trail.
 */
const sweepsMs = [0, 300, 1_000, 3_000];

export async function openWorkerLines(options: WorkerLinesOptions): Promise<WorkerLines> {
  const { client, taskQueue, lane, log, worker } = options;
  const machine = await readMachineMark();
  let line = worker?.host == null ? null : await openOwn(worker.host, machine, lane, log);
  const identity = toIdentity(process.pid, hostname(), line?.address ?? null);
  const activities = createOpenActivities(client, taskQueue);

  const sweep = async (dead: string, evidence: string, signal: AbortSignal): Promise<void> => {
    log.warn({ worker: dead, evidence }, 'a worker is gone; what it held is tried again');
    let waited = 0;
    for (const atMs of sweepsMs) {
      await pause(atMs - waited, signal);
      if (signal.aborted) return;
      waited = atMs;
      const held = (await activities.list()).filter((activity) => activity.worker === dead);
      const failed = await Promise.all(held.map((activity) => activities.fail(activity)));
      const count = failed.filter(Boolean).length;
      if (count > 0) log.info({ worker: dead, count }, 'what a dead worker held is free');
    }
  };

  // The engine's list of workers does not outlive the engine; what is recorded with an open activity does.
  let inherited: readonly string[] | null = null;
  const watcher = createWatcher({
    machine,
    self: worker === null ? null : identity,
    async listWorkers() {
      const [pollers, holders] = await Promise.all([
        listPollers(client, taskQueue),
        inherited ?? activities.list().then((all) => all.map((activity) => activity.worker)),
      ]);
      inherited = holders;
      return [...pollers, ...holders];
    },
    onDeath: sweep,
    onTrouble: (error, what) => log.warn({ err: error }, what),
  });

  return {
    identity,
    requestStop: (turnId, requestedAt) => watcher.requestStop({ turnId, requestedAt }),
    async goodbye() {
      await line?.goodbye();
      line = null;
    },
    async close() {
      await watcher.close();
      await line?.drop();
    },
  };
}

async function openOwn(host: string, machine: string, lane: LiveLane, log: Logger): Promise<LineServer | null> {
  try {
    const onStop = (stop: { turnId: TurnId; requestedAt: string }): void =>
      lane.requestStop(stop.turnId, stop.requestedAt);
    return await openLine({ host, machine, onStop });
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'listen' && syscall !== 'getaddrinfo') throw error;
    log.warn({ host, code }, 'unable to open the worker’s line; its death will be noticed by its heartbeats only');
    return null;
  }
}

async function listPollers(client: Client, taskQueue: string): Promise<readonly string[]> {
  const { namespace } = client.options;
  const kinds = [1, 2].map(async (taskQueueType) => {
    const request = { namespace, taskQueue: { name: taskQueue }, taskQueueType };
    const { pollers } = await client.withDeadline(Date.now() + 5_000, () =>
      client.workflowService.describeTaskQueue(request),
    );
    return (pollers ?? []).flatMap(({ identity }) => (identity == null ? [] : [identity]));
  });
  return [...new Set((await Promise.all(kinds)).flat())];
}
