// One connection to one agent that comes back by itself. It knows frames, not conversations: whoever owns it says on
// every `hello` what is to be watched, resumed and sent again.

import type { ClientFrame, ErrorFrame, HelloFrame, ServerFrame } from '../../src/protocol/frames.ts';
import { decideAfterClose, reconnectDelayMs, type AfterClose } from './reconnect.ts';

/** One socket, open or opening. */
export interface RawSocket {
  send(data: string): void;
  close(): void;
}

export interface SocketListener {
  onMessage(data: string): void;
  /** Exactly once. */
  onClose(code: number): void;
}

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'waiting'; readonly retryAtMs: number }
  | { readonly kind: 'refused'; readonly error: ErrorFrame['error'] | null };

export interface Clock {
  nowMs(): number;
  /** Returns what takes the timer back. */
  after(delayMs: number, run: () => void): () => void;
}

export interface ConnectionOptions {
  readonly open: (listener: SocketListener) => RawSocket;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  /** Why an upgrade failed, asked by HTTP. */
  readonly probe: () => Promise<'unauthenticated' | 'other'>;
  readonly onHello: (hello: HelloFrame) => void;
  readonly onFrame: (frame: Exclude<ServerFrame, HelloFrame>) => void;
  readonly onState: (state: ConnectionState) => void;
  readonly onUnauthenticated: () => void;
}

export interface Connection {
  /** False: not connected, nothing was sent. */
  send(frame: ClientFrame): boolean;
  /** Does not wait for the next try: the network is back, or a person asked. */
  reconnectNow(): void;
  close(): void;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { open, clock, random, probe, onHello, onFrame, onState, onUnauthenticated } = options;
  let socket: RawSocket | null = null;
  let greeted = false;
  let failures = 0;
  let lastError: ErrorFrame['error'] | null = null;
  let cancelTimer: (() => void) | null = null;
  let closed = false;

  const connect = (): void => {
    cancelTimer = null;
    greeted = false;
    lastError = null;
    onState({ kind: 'connecting' });
    const current: RawSocket = open({
      onMessage(data) {
        if (socket === current) receive(JSON.parse(data) as ServerFrame);
      },
      onClose(code) {
        if (socket !== current) return;
        socket = null;
        lost(decideAfterClose({ closeCode: code, greeted, lastError: lastError?.code ?? null }));
      },
    });
    socket = current;
  };

  const receive = (frame: ServerFrame): void => {
    if (frame.type === 'hello') {
      greeted = true;
      failures = 0;
      onState({ kind: 'open' });
      onHello(frame);
      return;
    }
    if (frame.type === 'error') lastError = frame.error;
    // Before `hello` an error explains the close that follows; the state carries it.
    if (greeted) onFrame(frame);
  };

  const lost = (decision: AfterClose): void => {
    switch (decision) {
      case 'sign-in':
        closed = true;
        onUnauthenticated();
        return;
      case 'refused':
        closed = true;
        onState({ kind: 'refused', error: lastError });
        return;
      case 'probe':
        void probe().then((answer) => {
          if (!closed) lost(answer === 'unauthenticated' ? 'sign-in' : 'retry');
        });
        return;
      case 'retry': {
        failures += 1;
        const delayMs = reconnectDelayMs(failures, random());
        onState({ kind: 'waiting', retryAtMs: clock.nowMs() + delayMs });
        cancelTimer = clock.after(delayMs, connect);
      }
    }
  };

  connect();
  return {
    send(frame) {
      if (socket === null || !greeted) return false;
      socket.send(JSON.stringify(frame));
      return true;
    },
    reconnectNow() {
      if (cancelTimer === null) return;
      cancelTimer();
      connect();
    },
    close() {
      closed = true;
      cancelTimer?.();
      cancelTimer = null;
      const current = socket;
      socket = null;
      current?.close();
    },
  };
}
