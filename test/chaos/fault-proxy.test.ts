import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createFaultProxy, type FaultProxy } from './fault-proxy.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe('the network that breaks on demand', () => {
  test('carries both directions, and the end of each', async () => {
    const { proxy } = await between();
    const client = await dial(proxy);
    client.socket.write('there');
    await client.until('there');
    client.socket.end();
    await client.closed;
    expect(proxy.connections).toBe(0);
  });

  test('a cut resets what is open and what comes, until it is healed', async () => {
    const { proxy } = await between();
    const open = await dial(proxy);
    open.socket.write('a');
    await open.until('a');
    proxy.cut();
    expect(await open.closed).toBe(true);
    const late = await dial(proxy);
    expect(await late.closed).toBe(true);
    proxy.heal();
    const healed = await dial(proxy);
    healed.socket.write('b');
    await healed.until('b');
  });

  test('a hold lets nothing pass and tells nobody; healed, all arrives in order', async () => {
    const { proxy, echo } = await between();
    const open = await dial(proxy);
    open.socket.write('1');
    await open.until('1');
    proxy.hold();
    open.socket.write('2');
    const fresh = await dial(proxy);
    fresh.socket.write('3');
    // Another way to the same server takes its whole round meanwhile.
    const direct = await dial({ port: echo.port });
    direct.socket.write('x');
    await direct.until('x');
    expect([open.text, fresh.text, echo.received]).toEqual(['1', '', '1x']);
    proxy.heal();
    await Promise.all([open.until('12'), fresh.until('3')]);
  });

  test('who is left alone during a hold learns of it when it is healed', async () => {
    const { proxy, echo } = await between();
    const client = await dial(proxy);
    client.socket.write('1');
    await client.until('1');
    proxy.hold();
    echo.breakAll();
    const direct = await dial({ port: echo.port });
    direct.socket.write('x');
    await direct.until('x');
    expect(client.isClosed).toBe(false);
    proxy.heal();
    await client.closed;
  });

  test('a target that is away resets', async () => {
    const { proxy, echo } = await between();
    await echo.close();
    expect(await (await dial(proxy)).closed).toBe(true);
  });
});

async function between() {
  const echo = await startEcho();
  const proxy = await createFaultProxy({ target: { host: '127.0.0.1', port: echo.port } });
  closers.push(() => proxy.close());
  return { proxy, echo };
}

async function startEcho() {
  const sockets = new Set<Socket>();
  let received = '';
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      received += data.toString();
      socket.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let isOpen = true;
  const breakAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    const closed = once(server, 'close');
    server.close();
    breakAll();
    await closed;
  };
  closers.push(close);
  return {
    port: (server.address() as AddressInfo).port,
    get received() {
      return received;
    },
    breakAll,
    close,
  };
}

async function dial({ port }: Pick<FaultProxy, 'port'>) {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let isClosed = false;
  const looks = new Set<() => void>();
  const look = (): void => {
    for (const one of [...looks]) one();
  };
  socket.on('data', (data: Buffer) => {
    text += data.toString();
    look();
  });
  // Resolves with whether it was reset.
  const closed = new Promise<boolean>((resolve) => {
    let wasReset = false;
    socket.on('error', () => (wasReset = true));
    socket.once('close', () => {
      isClosed = true;
      resolve(wasReset);
    });
  });
  const connected = new Promise<void>((resolve) => socket.once('connect', resolve));
  await Promise.race([connected, closed]);
  closers.push(async () => void socket.destroy());
  return {
    socket,
    closed,
    get text() {
      return text;
    },
    get isClosed() {
      return isClosed;
    },
    until: (wanted: string) =>
      new Promise<void>((resolve) => {
        const one = (): void => {
          if (text !== wanted) return;
          looks.delete(one);
          resolve();
        };
        looks.add(one);
        one();
      }),
  };
}
