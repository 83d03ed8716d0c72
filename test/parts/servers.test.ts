/** The real servers, started and stopped as both commands do it. They are found or fetched first. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Connection } from '@temporalio/client';
import neo4jDriver from 'neo4j-driver';
import {
  createSupervisor,
  findFree,
  prepareTestParts,
  startNeo4j,
  startTemporal,
  toCacheDir,
  type Supervisor,
  type TestParts,
} from '../../src/parts/index.ts';
import { toAuthLine } from '../../src/parts/neo4j-password.ts';
import { readStartTime } from '../../src/parts/process-identity.ts';
import { createContext, useFolders } from './folders.ts';

const host = '127.0.0.1';
const makeFolder = useFolders();
const supervisors: Supervisor[] = [];
let parts: TestParts;

beforeAll(async () => {
  parts = await prepareTestParts(createContext(toCacheDir(process.env, createContext('').platform)));
}, 600_000);
afterEach(async () => {
  for (const supervisor of supervisors.splice(0)) await supervisor.stopAll();
});
function supervise(dataDir: string): Supervisor {
  const supervisor = createSupervisor({ dataDir });
  supervisors.push(supervisor);
  return supervisor;
}

describe('Temporal', () => {
  async function start(dataDir: string, dbFile?: string) {
    return await startTemporal({
      supervisor: supervise(dataDir),
      executable: parts.temporalCli.path,
      env: process.env,
      ip: host,
      port: await findFree(host),
      searchAttributes: { CandorProbe: 'Keyword' },
      ...(dbFile === undefined ? {} : { dbFile, uiPort: await findFree(host) }),
    });
  }

  test('answers with its UI, the search attributes and 30 days of retention, and keeps its data over a restart', async () => {
    const dataDir = await makeFolder();
    const dbFile = join(dataDir, 'temporal.db');
    const first = await start(dataDir, dbFile);
    expect((await fetch(first.uiUrl ?? '')).status).toBe(200);
    const connection = await Connection.connect({ address: first.address });
    const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 24 * 3600);
    expect(
      (await connection.operatorService.listSearchAttributes({ namespace: 'default' })).customAttributes,
    ).toHaveProperty('CandorProbe');
    await connection.workflowService.startWorkflowExecution({
      namespace: 'default',
      workflowId: 'kept',
      workflowType: { name: 'Nobody' },
      taskQueue: { name: 'nobody' },
      requestId: 'one',
    });
    await connection.close();
    await first.stop();
    expect(await readStartTime(first.pid)).toBeUndefined();

    const second = await start(dataDir, dbFile);
    const again = await Connection.connect({ address: second.address });
    const found = await again.workflowService.describeWorkflowExecution({
      namespace: 'default',
      execution: { workflowId: 'kept' },
    });
    expect(found.workflowExecutionInfo?.type?.name).toBe('Nobody');
    await again.close();
  });

  test('has everything that it acknowledged before it was killed', async () => {
    const dataDir = await makeFolder();
    const dbFile = join(dataDir, 'temporal.db');
    const first = await start(dataDir, dbFile);
    const connection = await Connection.connect({ address: first.address });
    const ids = Array.from({ length: 20 }, (_, n) => `acknowledged-${n}`);
    const begin = (workflowId: string) =>
      connection.workflowService.startWorkflowExecution({
        namespace: 'default',
        workflowId,
        workflowType: { name: 'Nobody' },
        taskQueue: { name: 'nobody' },
        requestId: workflowId,
      });
    await Promise.all(ids.map(begin));
    process.kill(first.pid, 'SIGKILL');
    await connection.close();
    await first.exited;

    const second = await start(dataDir, dbFile);
    const again = await Connection.connect({ address: second.address });
    const found = await Promise.all(
      ids.map((workflowId) =>
        again.workflowService.describeWorkflowExecution({ namespace: 'default', execution: { workflowId } }),
      ),
    );
    expect(found.map((one) => one.workflowExecutionInfo?.type?.name)).toEqual(ids.map(() => 'Nobody'));
    await again.close();
  });

  test('runs in memory, without a UI and a file', async () => {
    const running = await start(await makeFolder());
    expect(running.uiUrl).toBeNull();
  });

  test('says why it did not start, and leaves nothing running', async () => {
    const dataDir = await makeFolder();
    await mkdir(join(dataDir, 'temporal.db'));
    await expect(start(dataDir, join(dataDir, 'temporal.db'))).rejects.toMatchObject({
      name: 'PartError',
      kind: 'exited',
      message: expect.stringMatching(/unable to start temporal; it ended with code 1: .*; see .*temporal\.log/),
    });
    await expect(stat(join(dataDir, 'children.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('Neo4j', () => {
  async function start(dataDir: string, java = parts.neo4j.java.path) {
    return await startNeo4j({
      supervisor: supervise(dataDir),
      java,
      libDir: parts.neo4j.jars.path,
      env: process.env,
      home: join(dataDir, 'neo4j'),
      host,
      boltPort: await findFree(host),
    });
  }

  test('lets in with its own password, stops within 5 seconds, and keeps its data over a restart and a kill', async () => {
    const dataDir = await makeFolder();
    const first = await start(dataDir);
    const driver = neo4jDriver.driver(first.uri, neo4jDriver.auth.basic(first.user, first.password));
    await driver.executeQuery("CREATE (:Probe {name: 'kept'})");
    await driver.close();
    process.kill(-first.pid, 'SIGKILL');
    await first.exited;

    const second = await start(dataDir);
    expect(second.password).toBe(first.password);
    const again = neo4jDriver.driver(second.uri, neo4jDriver.auth.basic(second.user, second.password));
    expect(
      (await again.executeQuery('MATCH (p:Probe) RETURN p.name AS name')).records.map(
        (record) => record.get('name') as string,
      ),
    ).toEqual(['kept']);
    await again.close();
    const stopMs = performance.now();
    await second.stop();
    expect(performance.now() - stopMs).toBeLessThan(5000);
    expect((await stat(join(dataDir, 'neo4j', 'password'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(dataDir, 'neo4j', 'conf', 'neo4j.conf'), 'utf8')).toContain(
      'dbms.usage_report.enabled=false',
    );
  }, 180_000);

  test('says why it did not start', async () => {
    const dataDir = await makeFolder();
    await expect(start(dataDir, '/bin/false')).rejects.toMatchObject({
      kind: 'exited',
      message: expect.stringContaining('unable to start neo4j; it ended with code 1'),
    });
  });

  test("writes the password as Neo4j's own admin command does", () => {
    expect(toAuthLine('candor-test', Buffer.alloc(32, 7))).toMatch(/^neo4j:SHA-256,[0-9a-f]{64},(07){32},1024:$/);
  });
});
