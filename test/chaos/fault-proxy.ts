// A network that breaks on demand: a TCP proxy between two parts. A cut is what a dead switch or a restarted peer looks
// like, a hold what a firewall that drops packets looks like. It knows nothing of what it carries.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type ProxyMode = 'pass' | 'cut' | 'hold';

export interface FaultProxy {
  readonly port: number;
  readonly mode: ProxyMode;
  /** Connections that are open on the near side. */
  readonly connections: number;
  /** Local ports of the open connections to the target: by them the target tells its clients apart. */
  readonly dialled: ReadonlySet<number>;
  /** Resets every connection, and each new one before it carries a byte. */
  cut(): void;
  /** Nothing passes in either direction and nobody is told: connections stay, new ones are taken and get no answer. */
  hold(): void;
  /** Everything passes again. What was held arrives now, in order, as packets that were sent again would. */
  heal(): void;
  close(): Promise<void>;
}

export interface FaultProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** 0: any free port. */
  readonly port?: number;
}

const host = '127.0.0.1';

/** Listens on 127.0.0.1. A target that is away resets the connection, as a refusing one would. */
export async function createFaultProxy({ target, port = 0 }: FaultProxyOptions): Promise<FaultProxy> {
  const near = new Set<Socket>();
  const far = new Set<Socket>();
  const dialled = new Set<number>();
  /** Taken while nothing passes: the far side is called when it does again. */
  const unanswered = new Set<Socket>();
  /** Sockets whose other side ended during a hold: they learn of it afterwards. */
  const widowed = new Map<Socket, boolean>();
  let mode: ProxyMode = 'pass';

  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
    if (mode === 'cut') return void socket.resetAndDestroy();
    keep(socket, near);
    if (mode === 'hold') unanswered.add(socket);
    else callFarSide(socket);
  });

  function keep(socket: Socket, side: Set<Socket>): void {
    side.add(socket);
    // Swallowed: `close` follows and says that it was an error, which is all that the other side can learn.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      side.delete(socket);
      unanswered.delete(socket);
      widowed.delete(socket);
    });
  }

  function callFarSide(socket: Socket): void {
    const other = connect({ ...target, allowHalfOpen: true, noDelay: true });
    keep(other, far);
    join(socket, other);
    join(other, socket);
    other.once('connect', () => {
      const { localPort } = other;
      if (localPort !== undefined) {
        dialled.add(localPort);
        other.once('close', () => dialled.delete(localPort));
      }
      flow(socket);
    });
  }

  function join(from: Socket, to: Socket): void {
    from.on('data', (chunk: Buffer) => {
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => flow(from));
    });
    from.on('end', () => to.end());
    from.once('close', (hadError) => {
      if (mode === 'hold') widowed.set(to, hadError);
      else part(to, hadError);
    });
  }

  const flow = (socket: Socket): void => {
    if (mode === 'pass') socket.resume();
  };

  /** After an orderly end `to` still sends what it has. */
  const part = (to: Socket, hadError: boolean): void => {
    if (hadError) to.resetAndDestroy();
    else to.end();
  };

  const resetAll = (): void => {
    for (const socket of [...near, ...far]) socket.resetAndDestroy();
  };

  server.listen(port, host);
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    dialled,
    get mode() {
      return mode;
    },
    get connections() {
      return near.size;
    },
    cut() {
      mode = 'cut';
      resetAll();
    },
    hold() {
      mode = 'hold';
      for (const socket of [...near, ...far]) socket.pause();
    },
    heal() {
      mode = 'pass';
      for (const socket of [...unanswered]) callFarSide(socket);
      unanswered.clear();
      for (const [socket, hadError] of [...widowed]) part(socket, hadError);
      widowed.clear();
      for (const socket of [...near, ...far]) if (!socket.connecting) socket.resume();
    },
    async close() {
      mode = 'cut';
      const closed = once(server, 'close');
      server.close();
      resetAll();
      await closed;
    },
  };
}
