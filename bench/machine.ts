// On what something was measured: enough to judge whether another figure may be held beside it, and nothing that names
// the machine or its user.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import neo4j from 'neo4j-driver';
import { redisProgram } from '../test/redis-server.ts';
import { readVariables, type Env } from '../testing/servers/variables.ts';

const run = promisify(execFile);

export interface Machine {
  readonly node: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly os: string;
  /** Of one minute, before the command began: above a half of the cores the figures are those of a busy machine. */
  readonly loadBefore: number;
  /** Versions; `null`: not part of this run. */
  readonly servers: Readonly<Record<'temporal' | 'neo4j' | 'redis', string | null>>;
}

/** Of one minute. */
export const readLoad = (): number => Math.round((loadavg()[0] ?? 0) * 100) / 100;

/** @param env names the servers of the run */
export async function readMachine(env: Env, loadBefore: number): Promise<Machine> {
  return {
    node: process.version,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: await readOs(),
    loadBefore,
    servers: await readServers(env),
  };
}

async function readOs(): Promise<string> {
  const kernel = `${type()} ${release().split('-')[0]}`;
  if (type() !== 'Linux') return kernel;
  const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
  return name === undefined ? kernel : `${name}, ${kernel}`;
}

async function readServers(env: Env): Promise<Machine['servers']> {
  const found = readVariables(env);
  if (found === null) return { temporal: null, neo4j: null, redis: null };
  const [temporal, graph, redis] = await Promise.all([
    readTemporal(found.temporal.address),
    readNeo4j(found.neo4j),
    redisProgram === null ? null : readRedis(redisProgram),
  ]);
  return { temporal, neo4j: graph, redis };
}

async function readTemporal(address: string): Promise<string> {
  const connection = await Connection.connect({ address });
  try {
    return (await connection.workflowService.getSystemInfo({})).serverVersion;
  } finally {
    await connection.close();
  }
}

async function readNeo4j({ uri, user, password }: { uri: string; user: string; password: string }): Promise<string> {
  const driver = neo4j.driver(uri, neo4j.auth.basic(user, password));
  try {
    return ((await driver.getServerInfo()).agent ?? 'unknown').replace('Neo4j/', '');
  } finally {
    await driver.close();
  }
}

async function readRedis(program: string): Promise<string> {
  const { stdout } = await run(program, ['--version']);
  return /v=([\d.]+)/.exec(stdout)?.[1] ?? stdout.trim();
}

/** What was measured: a commit, and whether files were changed since. */
export async function readCommit(root: string): Promise<{ readonly commit: string; readonly isChanged: boolean }> {
  const [head, status] = await Promise.all([
    run('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root }),
    run('git', ['status', '--porcelain', '--', '.', ':!bench/results', ':!docs/images', ':!*.md'], { cwd: root }),
  ]);
  return { commit: head.stdout.trim(), isChanged: status.stdout.trim() !== '' };
}
