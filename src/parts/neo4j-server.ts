/**
 * Runs Neo4j Community as a child, without its scripts: they need bash and a writable installation, and stop slowly. The
 * settings make it small (300 MB), local, quick to stop, and silent about us.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Env } from './context.ts';
import { preparePassword } from './neo4j-password.ts';
import type { Supervisor } from './processes.ts';
import { stopOnFailure, waitUntilReady } from './readiness.ts';

export interface Neo4jOptions {
  readonly supervisor: Supervisor;
  readonly java: string;
  /** The folder of jars. */
  readonly libDir: string;
  readonly env: Env;
  /** Data, configuration and password; made when missing. */
  readonly home: string;
  readonly host: string;
  readonly boltPort: number;
  /** For the first start in `home`; later ones keep that one. Made at random without it. */
  readonly password?: string;
  readonly maxHeapMb?: number;
  readonly pageCacheMb?: number;
  readonly timeoutMs?: number;
}

export interface RunningNeo4j {
  readonly uri: string;
  readonly user: string;
  readonly password: string;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<unknown>;
  stop(): Promise<void>;
}

/** Resolves when its databases are open and Bolt answers. Throws `PartError`. */
export async function startNeo4j(options: Neo4jOptions): Promise<RunningNeo4j> {
  const { supervisor, java, env, home, host, boltPort, timeoutMs = 60_000 } = options;
  const conf = join(home, 'conf');
  await mkdir(conf, { recursive: true });
  const password = await preparePassword(home, options.password);
  await writeFile(join(conf, 'neo4j.conf'), toConfiguration(options), { mode: 0o600 });
  const child = await supervisor.start({
    name: 'neo4j',
    command: java,
    args: toArguments(options, conf),
    env,
    cwd: home,
  });
  return await stopOnFailure(child, async () => {
    // Bolt answers before the databases are open; the log says when they are.
    await waitUntilReady(
      child,
      async () => / Started\.\s*$/m.test(await child.readLogTail()) && (await speaksBolt(host, boltPort)),
      { timeoutMs },
    );
    return {
      uri: `bolt://${host}:${boltPort}`,
      user: 'neo4j',
      password,
      pid: child.pid,
      logFile: child.logFile,
      exited: child.exited,
      stop: () => child.stop(),
    };
  });
}

function toArguments(options: Neo4jOptions, conf: string): readonly string[] {
  const { home, libDir, maxHeapMb = 512 } = options;
  return [
    ...[
      `-Xms${Math.min(256, maxHeapMb)}m`,
      `-Xmx${maxHeapMb}m`,
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-XX:-UsePerfData',
    ],
    ...['java.base/java.nio', 'java.base/java.io', 'java.base/sun.nio.ch'].map(
      (name) => `--add-opens=${name}=ALL-UNNAMED`,
    ),
    ...['-Dio.netty.tryReflectionSetAccessible=true', '-Dlog4j2.disable.jmx=true', '-XX:+ExitOnOutOfMemoryError'],
    ...['-cp', join(libDir, '*'), 'org.neo4j.server.CommunityEntryPoint'],
    ...[`--home-dir=${home}`, `--config-dir=${conf}`, '--console-mode'],
  ];
}

function toConfiguration(options: Neo4jOptions): string {
  const { home, host, boltPort, maxHeapMb = 512, pageCacheMb = 128 } = options;
  const settings: Readonly<Record<string, string>> = {
    'server.directories.data': join(home, 'data'),
    'server.directories.logs': join(home, 'logs'),
    'server.directories.run': join(home, 'run'),
    'server.directories.plugins': join(home, 'plugins'),
    'server.directories.import': join(home, 'import'),
    'server.directories.licenses': join(home, 'licenses'),
    'server.default_listen_address': host,
    'server.bolt.listen_address': `${host}:${boltPort}`,
    'server.bolt.advertised_address': `${host}:${boltPort}`,
    'server.http.enabled': 'false',
    'server.https.enabled': 'false',
    'server.memory.heap.initial_size': `${Math.min(256, maxHeapMb)}m`,
    'server.memory.heap.max_size': `${maxHeapMb}m`,
    'server.memory.pagecache.size': `${pageCacheMb}m`,
    'db.tx_log.preallocate': 'false',
    'dbms.usage_report.enabled': 'false',
    // A stop takes half a second with these, ten without.
    'internal.dbms.bolt.netty_server_shutdown_quiet_period': '0',
    'internal.dbms.bolt.netty_server_shutdown_timeout': '1s',
    'internal.server.bolt.thread_pool_shutdown_wait_time': '0s',
    'internal.server.bolt.connection_shutdown_wait_time': '0s',
    'db.shutdown_transaction_end_timeout': '1s',
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** True when the handshake is answered with a version: something else may listen on that port. */
async function speaksBolt(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    // Magic, then the range 5.8 to 5.0 and nothing else.
    socket.once('connect', () => {
      socket.write(Buffer.from('6060b01700080805000000000000000000000000', 'hex'));
    });
    socket.once('data', (data) => {
      settle(data.length === 4 && data.readUInt32BE(0) !== 0);
    });
    socket.once('timeout', () => {
      settle(false);
    });
    socket.once('error', () => {
      settle(false);
    });
    socket.once('close', () => {
      settle(false);
    });
  });
}
