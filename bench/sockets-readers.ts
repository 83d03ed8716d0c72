// The readers of bench/sockets.ts, in a process of their own, so that the gateway's memory is only the gateway's: sockets
// that follow one turn, and read or do not.

import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface ReadersOrder {
  readonly url: string;
  readonly turnIds: readonly string[];
  readonly count: number;
  readonly reads: boolean;
}
export interface ReadersReport {
  readonly state: 'connected' | 'gone';
}

const atOnce = 50;

process.on('message', (order: ReadersOrder | 'leave') => {
  if (order === 'leave') {
    for (const socket of sockets.splice(0)) socket.terminate();
    process.send?.({ state: 'gone' } satisfies ReadersReport);
    return;
  }
  void connect(order).then(() => process.send?.({ state: 'connected' } satisfies ReadersReport));
});

const sockets: WebSocket[] = [];

async function connect({ url, turnIds, count, reads }: ReadersOrder): Promise<void> {
  for (let n = 0; n < count; n += atOnce) {
    await Promise.all(
      Array.from({ length: Math.min(atOnce, count - n) }, async () => {
        const socket = new WebSocket(url, { headers: { authorization: 'Bearer ada' } });
        sockets.push(socket);
        socket.once('open', () => {
          if (!reads) socket.pause();
        });
        await once(socket, 'open');
        for (const turnId of turnIds) socket.send(JSON.stringify({ type: 'resume', turnId }));
      }),
    );
  }
}
