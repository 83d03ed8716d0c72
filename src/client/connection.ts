// One connection to one agent that comes back by itself. It knows frames, not turns: whoever owns it says on every
// `hello` what is to be watched, resumed and sent again.

import { toErrorInfo, type ErrorInfo } from '../protocol/errors.ts';
import type { ClientFrame, DecisionFrame, HelloFrame, ServerFrame } from '../protocol/frames.ts';
import type { UserId } from '../protocol/ids.ts';
import { decideAfterClose, reconnectDelayMs, type AfterClose } from './after-close.ts';
import type { Clock } from './clock.ts';
import { toSocketRequest, type OpenSocket, type WebSocketLike } from './socket-opener.ts';
import { createTokenRenewal } from './token-renewal.ts';
import type { TokenSource } from './token.ts';

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open'; readonly user: UserId }
  /** `cause`: what the source of tokens or the opener of sockets threw, when that is why. */
  | { readonly kind: 'waiting'; readonly retryAtMs: number; readonly cause?: unknown }
  /** For good: the agent or the token is not accepted, and there is no other token. */
  | { readonly kind: 'refused'; readonly error: ErrorInfo }
  | { readonly kind: 'closed' };

export interface ConnectionOptions {
  /** Asked before each connection. */
  readonly url: () => string;
  readonly agentId: string;
  readonly token: TokenSource;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  /** Whether the gateway at `url` takes the token, asked by HTTP. */
  readonly probe: (url: string, token: string) => Promise<'unauthenticated' | 'other'>;
  readonly onHello: () => void;
  readonly onFrame: (frame: Exclude<ServerFrame, HelloFrame>) => void;
  readonly onState: (state: ConnectionState) => void;
  /** Something was asked, and a gateway that is well says a word in time (R18). */
  readonly isWordDue: () => boolean;
}

export interface Connection {
  /** False: not connected, nothing was sent. */
  send(frame: ClientFrame | DecisionFrame): boolean;
  /** Does not wait for the next try: the network is back, or a person asked. */
  reconnectNow(): void;
  close(): void;
}

/** Nobody greets: an address that swallows packets would hold a connection for minutes. */
const helloMs = 15_000;
/** Three times what R18 allows: a connection that was lost without a word is given up. */
const silenceMs = 30_000;
const lostCode = 1006;

export function createConnection(options: ConnectionOptions): Connection {
  const { openSocket, clock, random, onState } = options;
  const source = typeof options.token === 'function' ? options.token : () => options.token as string;
  /** Counts connections: what belongs to an older one is not heard any more. */
  let current = 0;
  let socket: WebSocketLike | null = null;
  let greeted = false;
  let failures = 0;
  let lastError: ErrorInfo | null = null;
  let lastWordMs = 0;
  let url = '';
  /** The token of the present connection, and the last one that was refused. */
  let token = '';
  let stale: string | null = null;
  let cancelRetry: (() => void) | null = null;
  let cancelGuard = (): void => undefined;
  let over = false;
  const renewal = createTokenRenewal(clock, source, (renewed) => {
    token = renewed;
    send({ type: 'auth', token: renewed });
  });

  const connect = (): void => {
    cancelRetry = null;
    const mine = (current += 1);
    onState({ kind: 'connecting' });
    void obtain().then(
      (obtained) => {
        if (mine !== current) return;
        if (obtained === stale) return refuse(toErrorInfo('unauthenticated'));
        token = obtained;
        open(mine);
      },
      (cause: unknown) => {
        if (mine === current) retry(cause);
      },
    );
  };

  /** Also what is thrown at once becomes a rejection. */
  const obtain = async (): Promise<string> => source(stale);

  const open = (mine: number): void => {
    greeted = false;
    lastError = null;
    let opened: WebSocketLike;
    try {
      url = options.url();
      opened = openSocket(toSocketRequest(url, options.agentId, token));
    } catch (cause) {
      return retry(cause);
    }
    socket = opened;
    opened.addEventListener('message', ({ data }) => {
      if (mine === current) receive(JSON.parse(String(data)) as ServerFrame);
    });
    // Swallowed: `close` follows every `error` and brings the code, which is what counts.
    opened.addEventListener('error', () => undefined);
    opened.addEventListener('close', ({ code }) => {
      if (mine === current) lost(code);
    });
    cancelGuard = clock.after(helloMs, () => {
      if (mine === current) lost(lostCode);
    });
  };

  const receive = (frame: ServerFrame): void => {
    lastWordMs = clock.nowMs();
    if (frame.type === 'hello') {
      greeted = true;
      failures = 0;
      stale = null;
      cancelGuard();
      guardSilence(current);
      renewal.begin(token);
      onState({ kind: 'open', user: frame.user });
      options.onHello();
      return;
    }
    if (frame.type === 'error') lastError = frame.error;
    // Before `hello` an error explains the close that follows; the state carries it.
    if (greeted) options.onFrame(frame);
  };

  const guardSilence = (mine: number): void => {
    cancelGuard = clock.after(silenceMs, () => {
      if (mine !== current) return;
      if (options.isWordDue() && clock.nowMs() - lastWordMs >= silenceMs) lost(lostCode);
      else guardSilence(mine);
    });
  };

  const drop = (): void => {
    current += 1;
    cancelGuard();
    renewal.end();
    const dropped = socket;
    socket = null;
    dropped?.close();
  };

  const lost = (closeCode: number): void => {
    const decision = decideAfterClose({ closeCode, greeted, lastError: lastError?.code ?? null });
    drop();
    act(decision);
  };

  const act = (decision: AfterClose): void => {
    switch (decision) {
      case 'renew': {
        const isFirst = stale === null;
        stale = token;
        return isFirst ? connect() : retry();
      }
      case 'refused':
        return refuse(lastError ?? toErrorInfo('forbidden'));
      case 'probe': {
        const mine = current;
        void options.probe(url, token).then((answer) => {
          if (mine === current && !over) act(answer === 'unauthenticated' ? 'renew' : 'retry');
        });
        return;
      }
      case 'retry':
        retry();
    }
  };

  const retry = (cause?: unknown): void => {
    failures += 1;
    const delayMs = reconnectDelayMs(failures, random());
    cancelRetry = clock.after(delayMs, connect);
    onState({ kind: 'waiting', retryAtMs: clock.nowMs() + delayMs, ...(cause === undefined ? {} : { cause }) });
  };

  const refuse = (error: ErrorInfo): void => {
    over = true;
    onState({ kind: 'refused', error });
  };

  const send = (frame: ClientFrame | DecisionFrame): boolean => {
    if (socket === null || !greeted) return false;
    // What is asked now may take its time from now.
    lastWordMs = clock.nowMs();
    socket.send(JSON.stringify(frame));
    return true;
  };

  connect();
  return {
    send,
    reconnectNow() {
      if (cancelRetry === null) return;
      cancelRetry();
      connect();
    },
    close() {
      if (over) return;
      over = true;
      cancelRetry?.();
      cancelRetry = null;
      drop();
      onState({ kind: 'closed' });
    },
  };
}
