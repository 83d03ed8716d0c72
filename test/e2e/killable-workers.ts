// A gateway, and workers that are processes of their own and may die: the rig of the tests in which they do.

import { randomUUID } from 'node:crypto';
import { createUpstream, type Upstream } from '../../testing/upstream/upstream.ts';
import { launchWorker, type CandorProcess } from '../candor-process.ts';
import type { ChatClient } from '../chat-client.ts';
import { startStack, type Stack } from '../stack.ts';

export interface KillableWorkers {
  readonly upstream: Upstream;
  readonly gateway: Stack;
  readonly ada: ChatClient;
  /** Resolves when the worker polls. */
  startWorker(env?: Record<string, string>): Promise<CandorProcess>;
  closeWorkers(): Promise<void>;
  close(): Promise<void>;
}

/** @param name of the task queue, made unique */
export async function startKillableWorkers(name: string): Promise<KillableWorkers> {
  const upstream = await createUpstream();
  const gateway = await startStack({ roles: 'gateway', upstream, taskQueue: `${name}-${randomUUID()}` });
  const ada = await gateway.connect();
  const workers: CandorProcess[] = [];
  const closeWorkers = async (): Promise<void> => {
    await Promise.all(workers.splice(0).map((worker) => worker.close()));
  };
  return {
    upstream,
    gateway,
    ada,
    async startWorker(env = {}) {
      const { taskQueue } = gateway.options.temporal;
      const worker = await launchWorker({ taskQueue, upstreamUrl: upstream.url, env });
      workers.push(worker);
      await worker.ready;
      return worker;
    },
    closeWorkers,
    async close() {
      await closeWorkers();
      await gateway.close();
      await upstream.close();
    },
  };
}
