// Where plans are played. `in one process`: worker and near gateway share a lane, and their ports can be broken.
// `processes`: two workers that can be killed, each known by the name under which it calls the model server. In both
// the far gateway shares nothing with the near one, and can be replaced.

import { randomUUID } from 'node:crypto';
import type { RecordedCall, Upstream } from '../../testing/upstream/upstream.ts';
import { launchWorker, type CandorProcess } from '../candor-process.ts';
import { startStack, type Stack } from '../stack.ts';
import type { GatewayName } from './plan.ts';
import { createPortFaults, type TurnAtThePorts } from './port-faults.ts';
import type { TurnId } from '../../src/protocol/ids.ts';

export interface Rig {
  readonly name: 'in one process' | 'processes';
  readonly upstream: Upstream;
  gateway(name: GatewayName): Stack;
  /** Ends the far gateway and puts another one in its place. */
  readonly replaceFar: () => Promise<void>;
  readonly attach: (turnId: TurnId, turn: TurnAtThePorts) => void;
  /** Kills the worker that makes this call, or every one when there is none; another one takes its place at once. */
  killWorker(call: RecordedCall | null): Promise<void>;
  /** Workers killed so far. */
  readonly kills: number;
  close(): Promise<void>;
}

export interface RigOptions {
  readonly upstream: Upstream;
  readonly agentsDir: string;
}

export async function createRigInOneProcess({ upstream, agentsDir }: RigOptions): Promise<Rig> {
  const ports = createPortFaults();
  const near = await startStack({ upstream, agentsDir, decorate: ports.decorate });
  const { taskQueue } = near.options.temporal;
  const far = await createReplaceable(() => startStack({ roles: 'gateway', upstream, agentsDir, taskQueue }));
  return {
    name: 'in one process',
    upstream,
    gateway: (name) => (name === 'near' ? near : far.current),
    replaceFar: far.replace,
    attach: ports.attach,
    killWorker: () => Promise.reject(new Error('unable to kill the worker; it shares the process of the test')),
    kills: 0,
    async close() {
      await far.close();
      await near.close();
    },
  };
}

/** Names under which one model server is known: each worker calls it by another one. */
const hosts = ['127.0.0.1', 'localhost'] as const;

export async function createRigOfProcesses({ upstream, agentsDir }: RigOptions): Promise<Rig> {
  const taskQueue = `plans-${randomUUID()}`;
  const launch = async (host: string): Promise<CandorProcess> => {
    const upstreamUrl = upstream.url.replace('127.0.0.1', host);
    const worker = await launchWorker({ taskQueue, upstreamUrl, agentsDir });
    await worker.ready;
    return worker;
  };
  const workers = new Map<string, Promise<CandorProcess>>(hosts.map((host) => [host, launch(host)]));
  const startGateway = (): Promise<Stack> => startStack({ roles: 'gateway', upstream, agentsDir, taskQueue });
  const [near, far] = await Promise.all([startGateway(), createReplaceable(startGateway), ...workers.values()]);
  let kills = 0;
  /** Two plans that kill one worker at once share the kill: the second one would forget the worker started for the first. */
  const kill = async (host: string): Promise<void> => {
    const found = workers.get(host);
    const worker = await found;
    if (worker === undefined) throw new Error(`unable to kill a worker; none calls the model server by ${host}`);
    if (workers.get(host) !== found) return;
    kills += 1;
    worker.kill('SIGKILL');
    const next = worker.exited.then(() => launch(host));
    workers.set(host, next);
    // Swallowed: whoever asks for this worker next hears that it could not be started.
    next.catch(() => undefined);
    await worker.close();
  };
  return {
    name: 'processes',
    upstream,
    gateway: (name) => (name === 'near' ? near : far.current),
    replaceFar: far.replace,
    attach: () => undefined,
    async killWorker(call) {
      const holder = call?.headers.host?.split(':')[0];
      await Promise.all(hosts.filter((host) => holder === undefined || host === holder).map(kill));
    },
    get kills() {
      return kills;
    },
    async close() {
      await far.close();
      await near.close();
      for (const worker of workers.values()) await (await worker).close();
    },
  };
}

/** One replacement after the other: whoever asks meanwhile gets one of its own. */
async function createReplaceable(start: () => Promise<Stack>) {
  let current = await start();
  let queue: Promise<void> = Promise.resolve();
  const replace = async (): Promise<void> => {
    const old = current;
    current = await start();
    await old.close();
  };
  return {
    get current() {
      return current;
    },
    replace: (): Promise<void> => {
      const replaced = queue.then(replace);
      // Swallowed: the next one in the line does not fail for this one, whose caller is told.
      queue = replaced.catch(() => undefined);
      return replaced;
    },
    async close() {
      await queue;
      await current.close();
    },
  };
}
