// A line to a gateway for one connection, which breaks where it is told: at once, or behind so many bytes, in the middle
// of a frame. What was beyond the break never arrives.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface CutLine {
  /** On 127.0.0.1, for one connection. */
  readonly port: number;
  /** Lets so many more bytes of the gateway through, and then breaks. 0: now. */
  cutAfter(bytes: number): void;
  close(): void;
}

const host = '127.0.0.1';

/** @param target port of the gateway, on 127.0.0.1 */
export async function openLine(target: number): Promise<CutLine> {
  let near: Socket | null = null;
  let far: Socket | null = null;
  let leftBytes = Infinity;
  const server = createServer({ noDelay: true }, (socket) => {
    if (near !== null) return void socket.resetAndDestroy();
    near = socket;
    far = connect({ host, port: target, noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      // Swallowed: `close` follows, and the other side is closed with it.
      from.on('error', () => undefined);
      from.once('close', () => to.destroy());
    }
    near.pipe(far);
    far.on('data', (data: Buffer) => pass(data));
    far.once('end', () => near?.end());
  });

  const pass = (data: Buffer): void => {
    if (leftBytes < data.length) {
      const last = data.subarray(0, leftBytes);
      leftBytes = 0;
      far?.destroy();
      // What is let through has arrived before the end.
      return void near?.end(last);
    }
    leftBytes -= data.length;
    near?.write(data);
  };

  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cutAfter(bytes) {
      leftBytes = bytes;
      if (bytes === 0) for (const socket of [near, far]) socket?.resetAndDestroy();
    },
    close() {
      server.close();
      for (const socket of [near, far]) socket?.destroy();
    },
  };
}
