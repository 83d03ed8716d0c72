import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createDatabase } from '../../src/graph/database.ts';
import { createGraph, type Graph, type GraphOptions } from '../../src/graph/neo4j.ts';
import { neo4jUnderTest, openGraph } from './graph-under-test.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function graphAt(uri: string, over: Partial<GraphOptions> = {}): Graph {
  const graph = createGraph({ ...neo4jUnderTest(), uri, connectTimeoutMs: 300, queryTimeoutMs: 300, ...over });
  closing.push(() => graph.close());
  return graph;
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return `bolt://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A way to Neo4j that can be cut, or go silent. */
async function createWay(): Promise<{ uri: string; cut(): void; silence(): void }> {
  const target = new URL(neo4jUnderTest().uri);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  const uri = await listen(server);
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  closing.push(async () => cut());
  return { uri, cut, silence: () => sockets.forEach((socket) => socket.unpipe().pause()) };
}

const away = { code: 'graph_unavailable' };

describe('a graph that is away', () => {
  test('because nothing listens', async () => {
    const server = createServer();
    const uri = await listen(server);
    await closing.pop()?.();
    await expect(graphAt(uri).ping()).rejects.toMatchObject(away);
  });

  test('because its server accepts connections and says nothing', async () => {
    const sockets: Socket[] = [];
    const uri = await listen(createServer((socket) => sockets.push(socket)));
    await expect(graphAt(uri).ping()).rejects.toMatchObject(away);
    sockets.forEach((socket) => socket.destroy());
  });

  test('because something else answers there', async () => {
    const uri = await listen(createHttpServer());
    await expect(graphAt(uri).ping()).rejects.toMatchObject(away);
  });

  test('because it refuses the credentials', async () => {
    const graph = graphAt(neo4jUnderTest().uri, { user: `nobody-${process.pid}`, password: 'wrong-password' });
    await expect(graph.ping()).rejects.toMatchObject(away);
  });

  test('because it fell silent in the middle', async () => {
    const way = await createWay();
    const graph = graphAt(way.uri);
    await graph.ping();
    way.silence();
    await expect(graph.ping()).rejects.toMatchObject(away);
    way.cut();
  });

  test('because it is closed here', async () => {
    const graph = graphAt(neo4jUnderTest().uri);
    await graph.close();
    await expect(graph.ping()).rejects.toMatchObject(away);
  });
});

test('a graph whose connections were cut is used again: each of them fails one call at most', async () => {
  const way = await createWay();
  const graph = graphAt(way.uri, { connectTimeoutMs: 5_000 });
  const connections = 4;
  await Promise.all(Array.from({ length: connections }, () => graph.ping()));
  way.cut();
  let failures = 0;
  for (;;) {
    const error: unknown = await graph.ping().catch((reason: unknown) => reason);
    if (error === undefined) break;
    expect(error).toMatchObject(away);
    failures += 1;
    expect(failures).toBeLessThanOrEqual(connections);
  }
});

describe('the database', () => {
  const open = () => {
    const database = createDatabase(neo4jUnderTest());
    closing.push(() => database.close());
    return database;
  };

  test('passes a wrong query on as the bug that it is', async () => {
    await expect(open().read('RETRUN 1')).rejects.toMatchObject({ code: 'Neo.ClientError.Statement.SyntaxError' });
    await expect(open().transaction((run) => run('RETRUN 1') as Promise<never>)).rejects.toMatchObject({
      code: 'Neo.ClientError.Statement.SyntaxError',
    });
  });

  test('rolls a transaction back that throws, or that says so', async () => {
    const database = open();
    const label = `Rolled${process.pid}`;
    const thrown = new Error('changed my mind');
    await expect(
      database.transaction(async (run) => {
        await run(`CREATE (:${label})`);
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    await database.transaction(async (run) => {
      await run(`CREATE (:${label})`);
      return { commit: false, value: null };
    });
    expect(await database.read(`MATCH (n:${label}) RETURN n`)).toEqual([]);
  });

  test('takes its times from the clock that it is given', () => {
    const database = createDatabase({ ...neo4jUnderTest(), now: () => new Date(0) });
    closing.push(() => database.close());
    expect(database.now()).toBe('1970-01-01T00:00:00.000Z');
  });
});

test('migrations can be repeated, also by several processes at once', async () => {
  const graphs = await Promise.all(Array.from({ length: 4 }, () => openGraph()));
  await Promise.all(graphs.map((graph) => graph.migrate()));
  await Promise.all(graphs.map((graph) => graph.close()));
});
