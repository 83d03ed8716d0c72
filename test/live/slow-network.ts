// A network that delays: every piece arrives later, in order, in both directions. It knows nothing of what it carries.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface SlowNetwork {
  readonly port: number;
  close(): Promise<void>;
}

const host = '127.0.0.1';

export async function createSlowNetwork(target: number, delayMs: number): Promise<SlowNetwork> {
  const sockets = new Set<Socket>();
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('data', (data) => setTimeout(() => to.write(data), delayMs));
    // Swallowed: `close` follows.
    from.on('error', () => undefined);
    from.once('close', () => {
      sockets.delete(from);
      setTimeout(() => to.destroy(), delayMs);
    });
  };
  const server = createServer((near) => {
    const far = connect(target, host);
    join(near, far);
    join(far, near);
  });
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
