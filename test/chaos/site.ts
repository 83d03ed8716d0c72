// The place of a chaos run: two gateways and two workers as processes of their own, the servers under them, the model,
// and a network between every two of them that can be broken. Nothing here knows of turns.

import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import neo4j, { type Driver } from 'neo4j-driver';
import { launchGateway, launchWorker, type CandorProcess, type ProcessOptions } from '../candor-process.ts';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { createFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { createLink, type Link, type LinkName } from './link.ts';
import type { ChaosServers } from './servers.ts';
import { findSteadyPort } from './steady-port.ts';
import { createWire, type Wire } from './wire.ts';

const host = '127.0.0.1';

/** A worker or gateway that can be ended and started again behind the same proxies. */
export interface MortalProcess {
  /** Resolves when it is gone. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Resolves when it serves. */
  start(): Promise<void>;
  /** Whether the model server saw this call come from here. */
  owns(clientPort: number | null): boolean;
  readonly output: string;
}

export interface Site {
  readonly servers: ChaosServers;
  /** `null`: the live lane of each process is its own, and text comes by heartbeats. */
  readonly redis: Pick<RedisServer, 'kill' | 'startAgain'> | null;
  readonly wire: Wire;
  readonly links: Readonly<Record<LinkName, Link>>;
  readonly workers: readonly MortalProcess[];
  readonly gateways: readonly MortalProcess[];
  /** Addresses for clients, through their proxies. */
  readonly gatewayUrls: readonly string[];
  readonly token: string;
  /** Straight to the servers: what no fault of a link can touch. */
  readonly temporal: Client;
  readonly neo4j: Driver;
  close(): Promise<void>;
}

export interface SiteOptions {
  /** They stay the caller's. */
  readonly servers: ChaosServers;
  /** Started here; needs a Redis on this machine. */
  readonly withRedis: boolean;
}

/** Resolves when both gateways and both workers serve. */
export async function startSite({ servers, withRedis }: SiteOptions): Promise<Site> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const wire = await createWire();
    closers.push(() => wire.close());
    const redis = withRedis ? await startRedis() : null;
    if (redis !== null) closers.push(() => redis.close());
    const proxies: Record<LinkName, FaultProxy[]> = {
      'client-gateway': [],
      'gateway-temporal': [],
      'gateway-neo4j': [],
      'worker-temporal': [],
      'worker-neo4j': [],
      'worker-model': [],
      'gateway-redis': [],
      'worker-redis': [],
    };
    const connect = async (link: LinkName, port: number): Promise<FaultProxy> => {
      const proxy = await createFaultProxy({ target: { host, port } });
      closers.push(() => proxy.close());
      proxies[link].push(proxy);
      return proxy;
    };
    const taskQueue = `chaos-${randomUUID()}`;
    const secret = randomUUID();
    const optionsFor = async (role: 'gateway' | 'worker', modelPort: number): Promise<ProcessOptions> => {
      const temporal = await connect(`${role}-temporal`, servers.temporal.port);
      const graph = await connect(`${role}-neo4j`, servers.neo4j.port);
      const lane = redis === null ? null : await connect(`${role}-redis`, redis.port);
      const { user, password } = servers.neo4j;
      return {
        taskQueue,
        env: lane === null ? {} : { REDIS_URL: `redis://${host}:${lane.port}` },
        upstreamUrl: `http://${host}:${modelPort}/v1`,
        servers: {
          temporal: { address: `${host}:${temporal.port}`, namespace: servers.temporal.namespace },
          neo4j: { uri: `bolt://${host}:${graph.port}`, user, password },
          bundleDir: servers.bundleDir,
        },
      };
    };
    const workers: MortalProcess[] = [];
    const gateways: MortalProcess[] = [];
    const gatewayUrls: string[] = [];
    let token = '';
    while (workers.length < 2) {
      const model = await connect('worker-model', wire.upstream.port);
      const options = await optionsFor('worker', model.port);
      workers.push(
        createMortal(
          () => launchWorker(options),
          (port) => port !== null && model.dialled.has(port),
        ),
      );
    }
    while (gateways.length < 2) {
      const port = await findSteadyPort(host);
      const front = await connect('client-gateway', port);
      const options = await optionsFor('gateway', wire.upstream.port);
      const env = { ...options.env, PORT: String(port) };
      const launch = async (): Promise<CandorProcess> => {
        const gateway = await launchGateway({ ...options, env }, secret);
        if (token === '') token = await gateway.token('chaos');
        return gateway;
      };
      gateways.push(createMortal(launch, () => false));
      gatewayUrls.push(`http://${host}:${front.port}`);
    }
    const processes = [...workers, ...gateways];
    closers.push(() => Promise.all(processes.map((process) => process.end('SIGKILL'))));
    await Promise.all(processes.map((process) => process.start()));

    const connection = await Connection.connect({ address: `${host}:${servers.temporal.port}` });
    closers.push(() => connection.close());
    const { user, password } = servers.neo4j;
    const driver = neo4j.driver(`bolt://${host}:${servers.neo4j.port}`, neo4j.auth.basic(user, password), {
      disableLosslessIntegers: true,
      connectionLivenessCheckTimeout: 0,
    });
    closers.push(() => driver.close());
    return {
      servers,
      redis,
      wire,
      links: {
        'client-gateway': createLink(proxies['client-gateway']),
        'gateway-temporal': createLink(proxies['gateway-temporal']),
        'gateway-neo4j': createLink(proxies['gateway-neo4j']),
        'worker-temporal': createLink(proxies['worker-temporal']),
        'worker-neo4j': createLink(proxies['worker-neo4j']),
        'worker-model': createLink(proxies['worker-model']),
        'gateway-redis': createLink(proxies['gateway-redis']),
        'worker-redis': createLink(proxies['worker-redis']),
      },
      workers,
      gateways,
      gatewayUrls,
      token,
      temporal: new Client({ connection, namespace: servers.temporal.namespace }),
      neo4j: driver,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function createMortal(
  launch: () => Promise<CandorProcess>,
  owns: (clientPort: number | null) => boolean,
): MortalProcess {
  let current: CandorProcess | null = null;
  let said = '';
  return {
    owns,
    get output() {
      return said + (current?.output ?? '');
    },
    async end(signal) {
      const ending = current;
      if (ending === null) return;
      ending.kill(signal);
      await ending.exited;
      said += ending.output;
      current = null;
      await ending.close();
    },
    async start() {
      current = await launch();
      await current.ready;
    },
  };
}
