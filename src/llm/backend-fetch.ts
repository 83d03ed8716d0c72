// The way to the backend: `fetch` with what the vendor's client leaves out. It limits the time to connect, keeps what
// broke as it was, refuses bytes that are no UTF-8 (the client would put U+FFFD in their place and nobody would know),
// and bounds what a backend can make this process hold.

import { Agent, fetch as undiciFetch } from 'undici';
import { createEventLines } from './event-lines.ts';

/** Bytes without an end of line: JSON may spell each byte of the longest reply with six. */
const maxLineBytes = 2 * 1024 * 1024;
const maxRefusalBytes = 64 * 1024;

export type BodyFault =
  | { readonly kind: 'connection'; readonly cause: unknown }
  | { readonly kind: 'notUtf8' }
  | { readonly kind: 'noEvents' }
  | { readonly kind: 'lineTooLong' };

/** What one request met, for whoever has to name its failure. */
export interface Exchange {
  /** `null` until headers came. */
  readonly response: { readonly status: number; readonly headers: Headers } | null;
  /** `fetch` itself failed. */
  readonly connectionFailure: { readonly cause: unknown } | null;
  /** Text of a reply that was not 2xx. */
  readonly refusal: string | null;
  readonly bodyFault: BodyFault | null;
  /** Bytes of the stream so far. */
  readonly bodyBytes: number;
}

export interface BackendFetch {
  /** A `fetch` for one request, and what that request met. */
  begin(connectMs: number): { readonly fetch: typeof globalThis.fetch; readonly exchange: Exchange };
  /** Ends idle connections. */
  close(): Promise<void>;
}

export function createBackendFetch(): BackendFetch {
  // A limit for connecting belongs to the pool in undici. Agents seldom name limits of their own: one pool, or few.
  const pools = new Map<number, Agent>();
  const poolFor = (connectMs: number): Agent => {
    const known = pools.get(connectMs);
    if (known !== undefined) return known;
    // 0: our own watchdog limits the waiting, and its limits may be longer than undici's defaults.
    const pool = new Agent({ connect: { timeout: connectMs }, headersTimeout: 0, bodyTimeout: 0 });
    pools.set(connectMs, pool);
    return pool;
  };

  return {
    begin(connectMs) {
      const exchange: { -readonly [Key in keyof Exchange]: Exchange[Key] } = {
        response: null,
        connectionFailure: null,
        refusal: null,
        bodyFault: null,
        bodyBytes: 0,
      };
      const fetchOnce = async (url: Parameters<typeof undiciFetch>[0], init: object): Promise<Response> => {
        let response;
        try {
          response = await undiciFetch(url, { ...init, dispatcher: poolFor(connectMs) });
        } catch (cause) {
          exchange.connectionFailure = { cause };
          throw cause;
        }
        const { status } = response;
        const headers = new Headers([...response.headers]);
        exchange.response = { status, headers };
        if (response.ok) {
          const body = response.body === null ? null : ReadableStream.from(checked(response.body, exchange));
          return new Response(body, { status, headers });
        }
        exchange.refusal = response.body === null ? '' : await readRefusal(response.body);
        return new Response(null, { status, headers });
      };
      return { fetch: fetchOnce as typeof globalThis.fetch, exchange };
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
      pools.clear();
    },
  };
}

async function* checked(
  body: AsyncIterable<Uint8Array>,
  exchange: { bodyFault: BodyFault | null; bodyBytes: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const fail = (fault: BodyFault): Error => {
    exchange.bodyFault = fault;
    return new Error(`unable to read the stream; ${fault.kind}`);
  };
  const events = createEventLines();
  const check = (decode: () => string): void => {
    let text: string;
    try {
      text = decode();
    } catch {
      throw fail({ kind: 'notUtf8' });
    }
    if (!events.accept(text)) throw fail({ kind: 'noEvents' });
  };
  let lineBytes = 0;
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      let next: IteratorResult<Uint8Array>;
      try {
        next = await chunks.next();
      } catch (cause) {
        exchange.bodyFault = { kind: 'connection', cause };
        throw cause;
      }
      if (next.done === true) break;
      const chunk = next.value;
      exchange.bodyBytes += chunk.length;
      check(() => decoder.decode(chunk, { stream: true }));
      const newline = chunk.lastIndexOf(0x0a);
      lineBytes = newline === -1 ? lineBytes + chunk.length : chunk.length - newline - 1;
      if (lineBytes > maxLineBytes) throw fail({ kind: 'lineTooLong' });
      yield chunk;
    }
    check(() => decoder.decode());
  } finally {
    await chunks.return?.();
  }
}

/** The beginning of a refusal's body; what broke off is still the beginning. */
async function readRefusal(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of body) {
      parts.push(part);
      size += part.length;
      if (size >= maxRefusalBytes) break;
    }
  } catch (cause) {
    // The status has come and names the failure; a body that broke off adds only words.
    return `${Buffer.concat(parts).toString()} [broken off: ${String(cause)}]`;
  }
  return Buffer.concat(parts).subarray(0, maxRefusalBytes).toString();
}
