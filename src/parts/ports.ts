/**
 * Chooses ports: the usual one when it is free, otherwise another. One that was asked for is taken or refused, never
 * exchanged, because somebody else was told to expect it.
 */
import { createServer, connect, type AddressInfo } from 'node:net';
import { PartError } from './part-error.ts';

export interface PortChoice {
  readonly port: number;
  /** One line for the terminal when it is not the usual one. */
  readonly note?: string;
}

export interface PortWish {
  /** For sentences: `Temporal`. */
  readonly name: string;
  readonly host: string;
  readonly usual: number;
  /** The variable that asks, and its value as given. */
  readonly variable: string;
  readonly asked: string | undefined;
  /** Ports promised to others that do not listen yet. */
  readonly taken?: ReadonlySet<number>;
}

/** Throws `PartError`: `port_taken`, or `asked` when the value is no port. */
export async function choosePort(wish: PortWish): Promise<PortChoice> {
  const { asked, host, name, taken, usual, variable } = wish;
  if (asked !== undefined && asked !== '') {
    const port = /^\d{1,5}$/.test(asked) ? Number(asked) : 0;
    if (port < 1 || port > 65_535)
      throw new PartError(
        'asked',
        `unable to start ${name}; ${variable} is ${asked}, which is no port; give a number from 1 to 65535`,
      );
    if (taken?.has(port) === true || !(await isFree(host, port))) {
      throw new PartError(
        'port_taken',
        `unable to start ${name}; port ${port}, asked for by ${variable}, is taken on ${host}; end what uses it or ask for another`,
      );
    }
    return { port };
  }
  if (taken?.has(usual) !== true && (await isFree(host, usual))) return { port: usual };
  let port = await findFree(host);
  while (taken?.has(port) === true) port = await findFree(host);
  return { port, note: `${name}: port ${usual} is taken, using ${port}` };
}

/** Any port that is free at this moment. */
export async function findFree(host: string): Promise<number> {
  const port = await listenOnce(host, 0);
  if (port === undefined)
    throw new PartError('port_taken', `unable to find a free port on ${host}; end something that listens there`);
  return port;
}

/** Nothing listens and it can be listened on: macOS lets one listen beside a server on all addresses. */
async function isFree(host: string, port: number): Promise<boolean> {
  return !(await answers(host, port)) && (await listenOnce(host, port)) !== undefined;
}

export async function answers(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => {
      settle(true);
    });
    socket.once('timeout', () => {
      settle(false);
    });
    socket.once('error', () => {
      settle(false);
    });
  });
}

async function listenOnce(host: string, port: number): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else
        reject(
          new PartError('asked', `unable to listen on ${host}; ${error.message}; choose another HOST`, {
            cause: error,
          }),
        );
    });
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address() as AddressInfo;
      server.close(() => {
        resolve(address.port);
      });
    });
  });
}
