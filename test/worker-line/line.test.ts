// The line over real sockets: who is let in, what the end of a connection proves and what it does not.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { TurnId } from '../../src/protocol/ids.ts';
import { isLoopback, parseIdentity, toIdentity, type LineAddress } from '../../src/worker-line/line-address.ts';
import { call } from '../../src/worker-line/line-caller.ts';
import { openLine, type LineServer } from '../../src/worker-line/line-server.ts';
import { watchLine, type LineWatch } from '../../src/worker-line/line-watch.ts';
import { readMachineMark } from '../../src/worker-line/machine-mark.ts';
import type { StopRequest } from '../../src/worker-line/messages.ts';

const machine = 'a1b2c3';
const stop: StopRequest = { turnId: 'turn-1' as TurnId, requestedAt: '2026-01-02T03:04:05.000Z' };
const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function createLine(onStop: (request: StopRequest) => void = () => undefined): Promise<LineServer> {
  const line = await openLine({ host: '127.0.0.1', machine, onStop });
  closers.push(() => line.drop().catch(() => undefined));
  return line;
}

/** A port at which something else than a line answers. */
async function listen(server: Server): Promise<LineAddress> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => void server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, machine, nonce: 'ff' };
}

function watch(address: LineAddress, from = machine): LineWatch | null {
  const leaving = new AbortController();
  closers.push(() => leaving.abort());
  return watchLine(address, { machine: from, signal: leaving.signal, callTimeoutMs: 100, retryMs: 5 });
}

/** Resolves when the watcher is connected. */
async function untilOpen(line: LineServer, count = 1): Promise<void> {
  while (line.watchers < count) await new Promise(setImmediate);
}

const nothingYet = Symbol('nothing yet');
/** What has come of it after some calls that told nothing. */
async function afterSome(ended: Promise<unknown> | undefined, happened: () => boolean): Promise<unknown> {
  while (!happened()) await new Promise(setImmediate);
  return Promise.race([ended, Promise.resolve(nothingYet)]);
}

describe('the identity of a worker', () => {
  test.each(['127.0.0.1', '::1', 'worker-1.example.internal'])('carries its line at %s and gives it back', (host) => {
    const line = { host, port: 40_123, machine, nonce: '00ff' };
    const identity = toIdentity(4_711, 'host', line);
    expect(identity).toMatch(/^4711@host line=\S+:40123\/a1b2c3\/00ff$/);
    expect(parseIdentity(identity)).toEqual(line);
  });

  test('is no address when it has no line, or is another program’s', () => {
    expect(parseIdentity(toIdentity(4_711, 'host', null))).toBeNull();
    expect(parseIdentity('temporal-cli:root@host')).toBeNull();
  });

  test('says which addresses mean another machine wherever they are read', () => {
    expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost'].every(isLoopback)).toBe(true);
    expect(['10.0.0.1', 'worker', '0.0.0.0'].some(isLoopback)).toBe(false);
  });

  test('marks the machine the same in every process of it', async () => {
    expect(await readMachineMark()).toMatch(/^[0-9a-f]{12}$/);
    expect(await readMachineMark()).toBe(await readMachineMark());
  });
});

describe('a call', () => {
  test('with the right nonce is welcomed, and passes stops on', async () => {
    const stops: StopRequest[] = [];
    let arrived: () => void = () => undefined;
    const heard = new Promise<void>((resolve) => (arrived = resolve));
    const { address } = await createLine((request) => {
      stops.push(request);
      arrived();
    });
    const called = await call(address, 1_000);
    if (called.kind !== 'open') throw new Error(`not open but ${called.kind}`);
    called.line.requestStop(stop);
    await heard;
    expect(stops).toEqual([stop]);
    called.line.close();
  });

  test('with another nonce is closed, passes nothing on, and proves that the worker is gone', async () => {
    const stops: StopRequest[] = [];
    const line = await createLine((request) => stops.push(request));
    const nonce = '0'.repeat(line.address.nonce.length);
    expect(await call({ ...line.address, nonce }, 1_000)).toMatchObject({ kind: 'gone' });
    const socket = connect(line.address.port, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write(`${JSON.stringify({ stop })}\n${JSON.stringify({ hello: line.address.nonce, stop })}\n`);
    await once(socket, 'close');
    expect(stops).toEqual([]);
    expect(line.watchers).toBe(0);
  });

  test.each([
    ['no JSON', 'GET / HTTP/1.1\r\n\r\n'],
    ['JSON that is no object', '[]\n'],
    ['a message without an end', 'x'.repeat(10_000)],
  ])('of a stranger who says %s is closed', async (_, words) => {
    const line = await createLine();
    const socket = connect(line.address.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(words);
    await once(socket, 'close');
    expect(line.watchers).toBe(0);
  });

  test('to a port where nobody listens is evidence', async () => {
    const server = createServer();
    const address = await listen(server);
    server.close();
    await once(server, 'close');
    expect(await call(address, 1_000)).toEqual({ kind: 'gone', evidence: 'nothing listens at its port' });
  });

  test('to a port where another program answers is evidence', async () => {
    const address = await listen(createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    expect(await call(address, 1_000)).toEqual({ kind: 'gone', evidence: 'another program answers at its port' });
  });

  test('that is taken and not answered is none', async () => {
    const address = await listen(
      createServer((socket) => {
        socket.on('error', () => undefined);
        closers.push(() => void socket.destroy());
      }),
    );
    expect(await call(address, 20)).toMatchObject({ kind: 'unknown' });
  });
});

describe('a watched worker', () => {
  test('that says goodbye is not dead', async () => {
    const line = await createLine();
    const watched = watch(line.address);
    await untilOpen(line);
    await line.goodbye();
    expect(await watched?.ended).toEqual({ kind: 'goodbye' });
  });

  test('whose connection ends and whose port is closed is dead', async () => {
    const line = await createLine();
    const watched = watch(line.address);
    await untilOpen(line);
    await line.drop();
    expect(await watched?.ended).toMatchObject({ kind: 'dead' });
  });

  test('that is killed is dead, as its kernel says', async () => {
    const source = `
      import { openLine } from ${JSON.stringify(fileURLToPath(new URL('../../src/worker-line/line-server.ts', import.meta.url)))};
      const line = await openLine({ host: '127.0.0.1', machine: '${machine}', onStop: () => undefined });
      console.log(JSON.stringify(line.address));`;
    const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    closers.push(() => void child.kill('SIGKILL'));
    const [said] = (await once(child.stdout ?? child, 'data')) as [Buffer];
    const address = JSON.parse(said.toString('utf8')) as LineAddress;
    const watched = watch(address);
    while (watched?.isOpen === false) await new Promise(setImmediate);
    child.kill('SIGKILL');
    expect(await watched?.ended).toEqual({ kind: 'dead', evidence: 'nothing listens at its port' });
  });

  test('that loses a connection and takes the next one is alive', async () => {
    const line = await createLine();
    // A path to the worker that breaks once.
    let broken = 0;
    const relay = createServer((inner) => {
      const outer = connect(line.address.port, '127.0.0.1');
      for (const [from, to] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        from.on('error', () => undefined).pipe(to);
        from.once('close', () => void to.destroy());
      }
      closers.push(() => void outer.destroy());
      if (broken++ === 0) outer.once('data', () => setImmediate(() => inner.destroy()));
    });
    const { port } = await listen(relay);
    const watched = watch({ ...line.address, port });
    const over = afterSome(watched?.ended, () => broken === 2 && watched?.isOpen === true);
    expect(await over).toBe(nothingYet);
  });

  test('that takes calls and does not answer is not called dead', async () => {
    let calls = 0;
    const address = await listen(
      createServer((socket) => {
        calls += 1;
        socket.on('error', () => undefined);
        closers.push(() => void socket.destroy());
      }),
    );
    expect(await afterSome(watch(address)?.ended, () => calls >= 3)).toBe(nothingYet);
  });

  test('at a loopback address of another machine is not watched at all', async () => {
    const line = await createLine();
    expect(watch(line.address, 'd4e5f6')).toBeNull();
  });

  test('on another machine is not called dead by who never reached it', async () => {
    // Not loopback by its name, refused all the same: as by a firewall.
    const server = createServer();
    const { port } = await listen(server);
    server.close();
    await once(server, 'close');
    const far = { host: '0.0.0.0', port, machine: 'd4e5f6', nonce: 'ff' };
    let looked = 0;
    const watched = watch(far);
    expect(await afterSome(watched?.ended, () => looked++ > 200)).toBe(nothingYet);
  });
});
