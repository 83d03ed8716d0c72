// The one thing that differs between platforms: how a socket is opened. A browser cannot set headers on one, so its token
// travels in the list of subprotocols; a program sends no `Origin` and has to show the token in a header.

import { toSubprotocols } from './token.ts';
import { subprotocol } from '../protocol/frames.ts';

/** The part of a WebSocket that the client uses; that of browsers, of Node 22 and of `ws` all have it. */
export interface WebSocketLike {
  send(data: string): void;
  close(): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void;
  addEventListener(type: 'error', listener: () => void): void;
}

export interface SocketRequest {
  /** `ws:` or `wss:`. */
  readonly url: string;
  readonly token: string;
  /** What a browser offers: the protocol, and the token as a second one. */
  readonly protocols: readonly string[];
  /** What a program sends beside the protocol `candor.v1`. */
  readonly headers: { readonly authorization: string };
}

export type OpenSocket = (request: SocketRequest) => WebSocketLike;

/** @param base `http:` or `https:`, with or without a path in front of `/ws` */
export function toSocketRequest(base: string, agentId: string, token: string): SocketRequest {
  const url = new URL(`ws/${encodeURIComponent(agentId)}`, base.endsWith('/') ? base : `${base}/`);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    url: url.href,
    token,
    protocols: toSubprotocols(token),
    headers: { authorization: `Bearer ${token}` },
  };
}

type Constructor = new (url: string, options?: string[] | object) => WebSocketLike;
interface Globals {
  readonly WebSocket?: Constructor;
  readonly document?: unknown;
  readonly process?: { readonly versions?: { readonly node?: string } };
}

/**
 * The platform's own WebSocket: a browser's, or that of Node 22 and newer, which takes headers.
 *
 * @throws Error where there is none, as in Node 20
 */
export function findOwnSocket(): OpenSocket {
  const { WebSocket, document, process } = globalThis as unknown as Globals;
  if (WebSocket === undefined) {
    throw new Error(
      'unable to open a socket; this platform has no WebSocket: pass openSocket, for Node 20 with the package ws ' +
        `as ({ url, headers }) => new WebSocket(url, '${subprotocol}', { headers })`,
    );
  }
  // A browser's worker has no document either, and takes no headers.
  const isProgram = document === undefined && process?.versions?.node !== undefined;
  return ({ url, protocols, headers }) =>
    isProgram ? new WebSocket(url, { protocols: [subprotocol], headers }) : new WebSocket(url, [...protocols]);
}
