// The model server of the tests: real HTTP on loopback, the chat-completions protocol, and every way in which such a
// server misbehaves, on demand. The running product never loads it: what a user sees comes from a model.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { refuse, verdict } from './behaviours.ts';
import { createCallLog, type CallWatch, type ChatBody, type RecordedCall } from './call-log.ts';
import { play } from './reply.ts';
import { createScript, type Script, type ScriptedCalls } from './script.ts';

export * from './behaviours.ts';
export type { CallWatch, RecordedCall } from './call-log.ts';
export type { Script } from './script.ts';
export { createValve, type Valve } from './valve.ts';

export interface UpstreamOptions {
  /** 0: any free port. */
  readonly port?: number;
  /** What `/v1/models` lists. */
  readonly models?: readonly string[];
}

export interface Upstream {
  /** Base address, ends with `/v1`. */
  readonly url: string;
  readonly port: number;
  /** Every chat completion that was asked for, in order of arrival. */
  readonly calls: readonly RecordedCall[];
  /** Calls without `response_format`; unscripted ones get a 500 that says so. */
  readonly chat: Script;
  /** Calls with `response_format`; unscripted ones get a verdict that finds nothing. */
  readonly audit: Script;
  /** Calls for this model, whatever they ask; it goes before `chat` and `audit`. */
  model(name: string): Script;
  /** The n-th call over the server's life, from 1. */
  call(n: number): CallWatch;
  nextCall(): Promise<RecordedCall>;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** Listens on 127.0.0.1. */
export async function createUpstream({ port = 0, models = ['wire-model'] }: UpstreamOptions = {}): Promise<Upstream> {
  const log = createCallLog();
  const chat = createScript(null);
  const audit = createScript(verdict(false, 0.1));
  const byModel = new Map<string, ScriptedCalls>();
  const failures: unknown[] = [];
  let closing = false;

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      failures.push(error);
      response.destroy();
    });
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://upstream');
    if (request.method === 'GET' && pathname === '/v1/models') {
      const data = models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'upstream' }));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ object: 'list', data }));
      return;
    }
    if (request.method !== 'POST' || pathname !== '/v1/chat/completions') {
      const error = { message: `no route ${request.method} ${pathname}`, type: 'invalid_request_error', code: null };
      response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
      return;
    }
    const body = JSON.parse(await text(request)) as ChatBody;
    const isJson = body.response_format !== undefined;
    const { nth, behaviour } = (byModel.get(body.model) ?? (isJson ? audit : chat)).take(body);
    const call = log.begin({
      nth,
      isJson,
      body,
      headers: request.headers,
      clientPort: request.socket.remotePort ?? null,
    });

    const gone = new AbortController();
    response.once('close', () => {
      if (closing) call.broke();
      call.closed();
      gone.abort();
    });
    try {
      await play(behaviour ?? unscripted(body), call, response, gone.signal);
    } catch (error) {
      if (!gone.signal.aborted) throw error;
    }
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    port: address.port,
    calls: log.calls,
    chat,
    audit,
    model(name) {
      const known = byModel.get(name) ?? createScript(null);
      byModel.set(name, known);
      return known;
    },
    call: (n) => log.call(n),
    nextCall: () => log.nextCall(),
    async close() {
      closing = true;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      if (failures.length > 0) throw new AggregateError(failures, 'unable to play a behaviour; see the errors');
    },
  };
}

function unscripted(body: ChatBody) {
  const message = `the test scripted no behaviour for this call to ${body.model}`;
  return refuse(500, { error: { message, type: 'server_error', code: 'unscripted' } });
}
