// A device of the demonstration: the client library on Node, at whatever gateway it is told.

import { WebSocket } from 'ws';
import { createCandorClient, type CandorClient } from '../src/client/index.ts';

export interface Device {
  readonly client: CandorClient;
  /** Resolves when the connection was lost and is there again. */
  comesBack(): Promise<void>;
}

/** @param url where its gateway is; asked before each connection */
export function createDevice(token: string, url: () => string): Device {
  const client = createCandorClient({
    ...{ url, token, agentId: 'operator' },
    openSocket: (request) => new WebSocket(request.url, 'candor.v1', { headers: request.headers }),
  });
  return {
    client,
    comesBack: () =>
      new Promise((resolve) => {
        let isLost = client.state.kind !== 'open';
        const end = client.onState(({ kind }) => {
          if (kind === 'open' && isLost) {
            end();
            resolve();
          }
          isLost ||= kind !== 'open';
          // The other gateway is known to be there: nobody has to wait for it.
          if (kind === 'waiting') client.reconnectNow();
        });
        client.reconnectNow();
      }),
  };
}
