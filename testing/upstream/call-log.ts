// What the wire server saw of each call, and promises for it. Tests count calls here, upstream, because a count taken
// inside the product could repeat the product's own mistake.

import type { IncomingHttpHeaders } from 'node:http';

export interface ChatBody {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly response_format?: unknown;
  readonly temperature?: number;
  readonly max_tokens?: number;
}

export interface RecordedCall {
  /** 1, 2, 3 … over the server's life. */
  readonly n: number;
  /** 1, 2, 3 … within the script that answered it. */
  readonly nth: number;
  /** Whether it asked for JSON by schema: the auditor's calls do. */
  readonly isJson: boolean;
  readonly body: ChatBody;
  /** Credentials are cut to their scheme. */
  readonly headers: Readonly<IncomingHttpHeaders>;
  readonly hadCredentials: boolean;
  /** Tells connections apart: calls with one port shared one. */
  readonly clientPort: number | null;
  /** Milliseconds since the epoch, with fractions, as are all times here. */
  readonly receivedAt: number;
  /** Text chunks handed to the socket, and when. */
  readonly writtenAt: readonly number[];
  readonly written: readonly string[];
  /** Text chunks whose writing had begun: `written`, and the one during which the connection may have broken. */
  readonly offered: readonly string[];
  /** Whether a finish reason was sent: the reply is whole. */
  readonly finished: boolean;
  /** When the server had sent everything; `null` when it never did. */
  readonly endedAt: number | null;
  /** When the client closed the connection before the end; `null` when it did not. */
  readonly closedAt: number | null;
}

export interface CallWatch {
  /** The call has come, its body is read. */
  readonly received: Promise<RecordedCall>;
  /** The call is over: answered, broken by the server, or closed by the client. */
  readonly closed: Promise<RecordedCall>;
  /** So many text chunks were handed to the socket. */
  written(chunks: number): Promise<RecordedCall>;
}

/** The server's side of a call. */
export interface OpenCall {
  readonly record: RecordedCall;
  /** The chunk goes to the socket now. */
  offers(text: string): void;
  wrote(text: string): void;
  /** The reply's finish reason is sent now. */
  finished(): void;
  /** The server sends nothing after this. */
  ended(): void;
  /** The server breaks the connection itself. */
  broke(): void;
  /** The connection is over; whose doing it was follows from what came before. */
  closed(): void;
}

export interface CallLog {
  readonly calls: readonly RecordedCall[];
  begin(call: Pick<RecordedCall, 'nth' | 'isJson' | 'body' | 'headers' | 'clientPort'>): OpenCall;
  call(n: number): CallWatch;
  /** The first call that comes from now on. */
  nextCall(): Promise<RecordedCall>;
}

const now = (): number => performance.timeOrigin + performance.now();

export function createCallLog(): CallLog {
  const calls: RecordedCall[] = [];
  const over = new Set<RecordedCall>();
  let watchers: (() => void)[] = [];
  const changed = (): void => {
    const asked = watchers;
    watchers = [];
    for (const ask of asked) ask();
  };
  const until = (find: () => RecordedCall | undefined): Promise<RecordedCall> =>
    new Promise((resolve) => {
      const ask = (): void => {
        const found = find();
        if (found === undefined) watchers.push(ask);
        else resolve(found);
      };
      ask();
    });

  return {
    calls,
    begin({ headers, ...call }) {
      const writtenAt: number[] = [];
      const written: string[] = [];
      const offered: string[] = [];
      let broken = false;
      const state = { finished: false, endedAt: null as number | null, closedAt: null as number | null };
      const record: RecordedCall = {
        ...call,
        n: calls.length + 1,
        headers: withoutSecrets(headers),
        hadCredentials: headers.authorization !== undefined,
        receivedAt: now(),
        writtenAt,
        written,
        offered,
        get finished() {
          return state.finished;
        },
        get endedAt() {
          return state.endedAt;
        },
        get closedAt() {
          return state.closedAt;
        },
      };
      calls.push(record);
      changed();
      return {
        record,
        offers: (text) => void offered.push(text),
        wrote(text) {
          writtenAt.push(now());
          written.push(text);
          changed();
        },
        finished() {
          state.finished = true;
        },
        ended() {
          state.endedAt = now();
        },
        broke() {
          broken = true;
        },
        closed() {
          if (!broken && state.endedAt === null) state.closedAt = now();
          over.add(record);
          changed();
        },
      };
    },
    call: (n) => ({
      get received() {
        return until(() => calls[n - 1]);
      },
      get closed() {
        return until(() => calls.find((c) => c.n === n && over.has(c)));
      },
      written: (chunks) => until(() => calls.find((c) => c.n === n && c.written.length >= chunks)),
    }),
    nextCall() {
      const seen = calls.length;
      return until(() => calls[seen]);
    },
  };
}

function withoutSecrets(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept = { ...headers };
  delete kept.cookie;
  if (headers.authorization !== undefined) kept.authorization = `${headers.authorization.split(' ')[0]} ***`;
  return kept;
}
