// The way to the backend: a `fetch` for the vendor's client, with what `fetch` leaves out. It limits the time to connect,
// keeps what broke as it was, and bounds what a backend can make this process hold. The client sees status and headers;
// the body of a reply goes past it, as the data of its events.

import { Agent, interceptors, request, type Dispatcher } from 'undici';
import { createBodyReader } from './body-reader.ts';
import { createEventStream, StreamFaultError, type StreamFault } from './event-stream.ts';

const maxRefusalBytes = 64 * 1024;
const maxRedirections = 5;

export type BodyFault = { readonly kind: 'connection'; readonly cause: unknown } | { readonly kind: StreamFault };

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
  /**
   * The data of the events that are there; waits when there are none. `null`: the stream has ended.
   * @throws when the body is none of events: `bodyFault` says why
   */
  readEvents(): Promise<readonly string[] | null>;
}

export interface BackendFetch {
  /** A `fetch` for one request, and what that request met. */
  begin(connectMs: number): { readonly fetch: typeof globalThis.fetch; readonly exchange: Exchange };
  /** Ends idle connections. */
  close(): Promise<void>;
}

export function createBackendFetch(): BackendFetch {
  // A limit for connecting belongs to the pool in undici. Agents seldom name limits of their own: one pool, or few.
  const pools = new Map<number, Dispatcher>();
  const poolFor = (connectMs: number): Dispatcher => {
    const known = pools.get(connectMs);
    if (known !== undefined) return known;
    // 0: our own watchdog limits the waiting, and its limits may be longer than undici's defaults.
    const agent = new Agent({ connect: { timeout: connectMs }, headersTimeout: 0, bodyTimeout: 0 });
    const pool = agent.compose(interceptors.redirect({ maxRedirections }));
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
        readEvents: () => Promise.resolve(null),
      };
      const fetchOnce = async (url: string, { method, headers, body, signal }: RequestInit): Promise<Response> => {
        let response: Dispatcher.ResponseData;
        try {
          response = await request(url, {
            dispatcher: poolFor(connectMs),
            method: method as Dispatcher.HttpMethod,
            headers: Object.fromEntries(new Headers(headers)),
            body: body as string,
            signal: signal ?? null,
          });
        } catch (cause) {
          exchange.connectionFailure = { cause };
          throw cause;
        }
        const { statusCode: status } = response;
        const ownHeaders = toHeaders(response.headers);
        exchange.response = { status, headers: ownHeaders };
        if (status >= 200 && status <= 299) exchange.readEvents = createReadEvents(response.body, exchange);
        else exchange.refusal = await readRefusal(response.body);
        return new Response(null, { status, headers: ownHeaders });
      };
      return { fetch: fetchOnce as typeof globalThis.fetch, exchange };
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
      pools.clear();
    },
  };
}

function toHeaders(headers: Dispatcher.ResponseData['headers']): Headers {
  const own = new Headers();
  for (const [name, value = []] of Object.entries(headers)) {
    for (const one of [value].flat()) own.append(name, one);
  }
  return own;
}

function createReadEvents(
  body: Dispatcher.ResponseData['body'],
  exchange: { bodyFault: BodyFault | null; bodyBytes: number },
): Exchange['readEvents'] {
  const reader = createBodyReader(body);
  const stream = createEventStream();
  return async () => {
    try {
      for (;;) {
        const bytes = await reader.read();
        if (bytes === null) {
          stream.end();
          return null;
        }
        exchange.bodyBytes += bytes.length;
        const events = stream.read(bytes);
        if (events.length > 0) return events;
      }
    } catch (error) {
      exchange.bodyFault =
        error instanceof StreamFaultError ? { kind: error.fault } : { kind: 'connection', cause: error };
      throw error;
    }
  };
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
