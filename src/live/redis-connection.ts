// One connection of the lane to Redis or Valkey. It comes back by itself, for ever; meanwhile nothing is queued, and a
// connection that has stopped answering is given up. What it says of a failure names no address, user or password.

import { Redis, type Callback, type Result } from 'ioredis';

declare module 'ioredis' {
  // The library's own way to type a script: the signature has to be the one of its interface.
  interface RedisCommander<Context> {
    /** See {@link appendScript}. */
    candorAppend(
      key: string,
      maxEntries: number,
      keepMs: number,
      from: string,
      entry: string,
      callback?: Callback<null>,
    ): Result<null, Context>;
  }
}

/**
 * Appends to the stream of a turn, bounds its length and its life, and tells whoever is subscribed, in one command, so
 * that an entry comes with its id and no stream is left without an end. A Redis without memory still tells.
 */
const appendScript = `
local id = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'entry', ARGV[4])
local refused = type(id) == 'table' and id.err
if not refused then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
redis.call('PUBLISH', KEYS[1], (refused and '-' or id) .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
if refused then return id end
return nil`;

export interface ConnectionOptions {
  readonly url: string;
  /** As the server's list of clients shows it. */
  readonly name: string;
  /** Asked for so often when nothing else is, and given up after as long without an answer. */
  readonly silenceMs: number;
  readonly onReady: () => void;
  /** @param reason without secrets; also when it could not be made in the first place */
  readonly onLost: (reason: string) => void;
}

export interface Connection {
  readonly redis: Redis;
  readonly isReady: boolean;
  /** Resolves when nothing of it is left. */
  close(): Promise<void>;
}

const connectMs = 5_000;
const maxRetryMs = 2_000;
/** An orderly end is given so long, then the socket is dropped. */
const closeMs = 100;

export function createConnection({ url, name, silenceMs, onReady, onLost }: ConnectionOptions): Connection {
  const redis = new Redis(url, {
    connectionName: name,
    connectTimeout: connectMs,
    socketTimeout: silenceMs,
    disconnectTimeout: closeMs,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), maxRetryMs) * (0.5 + Math.random() / 2),
    // A replica that was the primary before: its successor has the same address.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    // Commands without an answer fail with the connection; any other number leaves them pending for ever.
    maxRetriesPerRequest: 0,
    scripts: { candorAppend: { lua: appendScript, numberOfKeys: 1 } },
  });
  let lastError: unknown = null;
  redis.on('error', (error: unknown) => (lastError = error));
  redis.on('ready', () => {
    lastError = null;
    onReady();
  });
  redis.on('close', () => onLost(lastError === null ? 'the connection was closed' : toReason(lastError)));
  const ask = setInterval(() => {
    // Swallowed: no answer ends the connection, and `close` reports that.
    if (redis.status === 'ready') redis.ping().catch(() => undefined);
  }, silenceMs).unref();

  return {
    redis,
    get isReady() {
      return redis.status === 'ready';
    },
    async close() {
      clearInterval(ask);
      redis.removeAllListeners('close');
      const isOpen = ['connecting', 'connect', 'ready'].includes(redis.status);
      const ended = new Promise((resolve) => redis.once('end', resolve));
      redis.disconnect();
      if (isOpen) await ended;
    },
  };
}

/** A code of the network, or the word with which Redis begins its errors. The rest could quote what was sent. */
function toReason(error: unknown): string {
  const { code, message = '' } = error as { readonly code?: unknown; readonly message?: string };
  if (typeof code === 'string') return code;
  if (message.startsWith('Socket timeout')) return 'it stopped answering';
  return /^[A-Z]{3,}\b/.exec(message)?.[0] ?? 'the connection failed';
}
