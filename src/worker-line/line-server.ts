// The worker's end of the line: a port that is open as long as its process lives. The kernel closes it with the process,
// whatever killed that, and this is all the news that there is of a sudden death.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { LineAddress } from './line-address.ts';
import { listenTo, say, type StopRequest } from './messages.ts';

export interface LineServerOptions {
  /** Address to listen on; a wildcard is announced as the machine's first address that others can reach. */
  readonly host: string;
  readonly machine: string;
  readonly onStop: (request: StopRequest) => void;
}

export interface LineServer {
  readonly address: LineAddress;
  /** Watchers that are connected and were welcomed. */
  readonly watchers: number;
  /** Tells every watcher that this end is in order, and closes. */
  goodbye(): Promise<void>;
  /** Closes without a word, as a death does. */
  drop(): Promise<void>;
}

/** How long a caller may take to say which worker it means. */
const helloMs = 2_000;

/** Listens on a port that the system chooses. @throws the system's error when it cannot */
export async function openLine({ host, machine, onStop }: LineServerOptions): Promise<LineServer> {
  const nonce = randomBytes(12).toString('hex');
  const sockets = new Set<Socket>();
  const watchers = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setKeepAlive(true, 10_000).setNoDelay(true);
    // A watcher that goes away in any manner is no news for a worker.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      sockets.delete(socket);
      watchers.delete(socket);
    });
    const silent = setTimeout(() => socket.destroy(), helloMs).unref();
    listenTo(socket, ({ hello, stop }) => {
      if (watchers.has(socket)) {
        if (isStop(stop)) onStop(stop);
        return;
      }
      // Refused already: what else it had to say is not heard.
      if (!socket.writable) return;
      clearTimeout(silent);
      if (isEqual(hello, nonce)) {
        watchers.add(socket);
        say(socket, { welcome: true });
      } else {
        say(socket, { refused: true });
        socket.end(() => socket.destroy());
      }
    });
  });
  server.listen({ host, port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    await closed;
  };
  return {
    address: { host: toReachable(host), port, machine, nonce },
    get watchers() {
      return watchers.size;
    },
    async goodbye() {
      for (const socket of watchers) say(socket, { goodbye: true });
      for (const socket of sockets) socket.end(() => socket.destroy());
      await close();
    },
    async drop() {
      for (const socket of sockets) socket.destroy();
      await close();
    },
  };
}

function isEqual(told: unknown, nonce: string): boolean {
  if (typeof told !== 'string' || told.length !== nonce.length) return false;
  return timingSafeEqual(Buffer.from(told.padEnd(nonce.length)).subarray(0, nonce.length), Buffer.from(nonce));
}

const isStop = (stop: StopRequest | undefined): stop is StopRequest =>
  typeof stop?.turnId === 'string' && typeof stop.requestedAt === 'string';

function toReachable(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host;
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}
