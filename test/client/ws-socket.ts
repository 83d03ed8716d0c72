// How a program on Node 20 opens the client's sockets: with the package `ws`, as docs/client.md shows it.

import { WebSocket } from 'ws';
import type { OpenSocket } from '../../src/client/index.ts';
import { subprotocol } from '../../src/protocol/frames.ts';

export const openWsSocket: OpenSocket = ({ url, headers }) => new WebSocket(url, subprotocol, { headers });
