// The error catalogue. Every failure that leaves Candor has one of these codes, a sentence for the person who reads it
// and a recovery for the operator. Adapters throw a CandorError; it becomes an ApplicationFailure whose `type` is the
// code, then an event, a frame or a problem document. The vendor's own error stays behind as the `cause`.

/** Where the failure happened, for the reader of an event. */
export type ErrorSource = 'model' | 'worker' | 'tool' | 'graph' | 'agent' | 'conversation' | 'engine' | 'gateway';

export interface ErrorEntry {
  /** What happened, in one sentence for developers. */
  readonly meaning: string;
  /** Whether the same request can succeed later without a change by the caller. */
  readonly retryable: boolean;
  readonly httpStatus: number;
  /** WebSocket close code when the failure ends the socket; `null` when the socket stays usable. */
  readonly closeCode: number | null;
  readonly source: ErrorSource;
  /** For the user. `{name}` is filled from the error's facts; an unfilled one is a bug that a test finds. */
  readonly sentence: string;
  /** For the operator. */
  readonly recovery: string;
}

const entry = (
  source: ErrorSource,
  retryable: boolean,
  httpStatus: number,
  meaning: string,
  sentence: string,
  recovery: string,
  closeCode: number | null = null,
): ErrorEntry => ({ meaning, retryable, httpStatus, closeCode, source, sentence, recovery });

export const errorCatalogue = {
  llm_unavailable: entry(
    'model',
    true,
    502,
    'The model backend refused, reset, or answered with a server error.',
    'The model {model} at {backend} did not answer ({reason}).',
    'Check that the backend runs and is reachable from the worker.',
  ),
  llm_timeout: entry(
    'model',
    true,
    504,
    'No connection, no first token, silence between tokens, or no end of the answer, for longer than the limit.',
    'The model {model} at {backend} took too long: {what} within {seconds} s.',
    'Check the load of the backend; raise the limits of the agent when it is a slow one.',
  ),
  llm_rate_limited: entry(
    'model',
    true,
    429,
    'The backend asked to slow down.',
    'The model {model} at {backend} accepts no more requests at the moment.',
    'Lower the load or ask the vendor for a higher limit.',
  ),
  llm_quota_exhausted: entry(
    'model',
    false,
    402,
    'The account at the vendor has no quota left.',
    'The quota for the model {model} at {backend} is used up.',
    'Check plan and billing of the backend account.',
  ),
  llm_auth: entry(
    'model',
    false,
    502,
    'The backend refused the credentials.',
    'The backend {backend} refused the credentials for the model {model}.',
    'Set a valid OPENAI_API_KEY for this backend.',
  ),
  llm_model_not_found: entry(
    'model',
    false,
    502,
    'The backend does not know the model.',
    'The backend {backend} has no model named {model}.',
    'Correct `model` in the agent file or OPENAI_MODEL.',
  ),
  llm_context_too_long: entry(
    'model',
    false,
    413,
    'The prompt is longer than the context of the model.',
    'The conversation is too long for the model {model}.',
    'Lower the agent’s history or context budget, or use a model with a longer context.',
  ),
  llm_content_filtered: entry(
    'model',
    false,
    422,
    'The backend withheld the answer by its content filter.',
    'The content filter of {backend} withheld the answer of {model}.',
    'Look at the request in the backend’s own log.',
  ),
  llm_stream_truncated: entry(
    'model',
    true,
    502,
    'The stream ended without a finish reason.',
    'The answer of the model {model} at {backend} broke off.',
    'Check proxies and time limits between worker and backend.',
  ),
  llm_empty_reply: entry(
    'model',
    true,
    502,
    'The model returned nothing, or white space only.',
    'The model {model} at {backend} returned an empty answer.',
    'Try the prompt against the backend; another model may be needed.',
  ),
  llm_invalid_output: entry(
    'model',
    true,
    502,
    'The reply was malformed, or the backend refused the request as malformed.',
    'The model {model} at {backend} returned something unreadable ({reason}).',
    'Check that the backend speaks the chat-completions protocol.',
  ),
  llm_reply_too_long: entry(
    'model',
    false,
    502,
    'The reply is longer than 256 KiB.',
    'The answer of the model {model} exceeded {limit}.',
    'Set a limit of tokens in the agent file.',
  ),
  worker_lost: entry(
    'worker',
    true,
    503,
    'The worker that ran a step stopped answering.',
    'The process that produced this answer stopped.',
    'Look at the worker’s log; start another worker.',
  ),
  tool_failed: entry(
    'tool',
    true,
    502,
    'A tool returned an error.',
    'The tool {tool} failed ({reason}).',
    'Look at the tool’s own log.',
  ),
  tool_timeout: entry(
    'tool',
    true,
    504,
    'A tool did not return in time.',
    'The tool {tool} did not answer in time.',
    'Check the tool’s server.',
  ),
  tool_denied: entry(
    'tool',
    false,
    403,
    'A person denied the call of a tool.',
    'The call of the tool {tool} was denied.',
    'None: a decision was made.',
  ),
  approval_expired: entry(
    'tool',
    false,
    410,
    'Nobody decided about the call of a tool in time.',
    'Nobody approved the call of the tool {tool} in time.',
    'Ask again, or lengthen the expiry.',
  ),
  no_data: entry(
    'tool',
    false,
    404,
    'A query succeeded and found nothing.',
    'Nothing was found for {subject}.',
    'None: the query succeeded.',
  ),
  graph_unavailable: entry(
    'graph',
    true,
    503,
    'Neo4j could not be reached or did not answer.',
    'The conversation store could not be reached.',
    'Check NEO4J_URI, the credentials, and that Neo4j runs.',
  ),
  agent_not_found: entry(
    'agent',
    false,
    404,
    'No agent has this id.',
    'There is no agent named {agent}.',
    'Add agents/{agent}.md or correct the address.',
    1008,
  ),
  agent_invalid: entry(
    'agent',
    false,
    422,
    'The agent’s file cannot be used.',
    'The definition of the agent {agent} is broken ({reason}).',
    'Correct the file; `candor validate {agent}` names the line.',
  ),
  conversation_busy: entry(
    'conversation',
    true,
    409,
    'Another turn of the conversation is running, or too many are queued.',
    'This conversation is still busy with an earlier message.',
    'Wait, or send with busy=enqueue or busy=interrupt.',
  ),
  conversation_not_found: entry(
    'conversation',
    false,
    404,
    'No conversation of this user has this id.',
    'There is no such conversation.',
    'None.',
  ),
  turn_not_found: entry(
    'conversation',
    false,
    404,
    'No turn of this user has this id.',
    'There is no such turn.',
    'None.',
  ),
  turn_conflict: entry(
    'conversation',
    false,
    409,
    'The turn’s id was already used with other content.',
    'This message’s id was already used for another message.',
    'The client makes a new UUID for each message.',
  ),
  turn_timeout: entry(
    'engine',
    true,
    504,
    'The turn’s deadline passed while no model call was open.',
    'The message was not answered within {seconds} s.',
    'Look at the turn in Temporal UI: which step waited.',
  ),
  engine_unavailable: entry(
    'engine',
    true,
    503,
    'Temporal could not be reached.',
    'The engine that runs conversations could not be reached.',
    'Check TEMPORAL_ADDRESS and that the server runs.',
  ),
  unauthenticated: entry(
    'gateway',
    false,
    401,
    'No token, or one that does not verify.',
    'You are not signed in, or your session has expired.',
    'Get a new token.',
    1008,
  ),
  forbidden: entry(
    'gateway',
    false,
    403,
    'The caller lacks the role, or the origin is not allowed.',
    'You are not allowed to do this.',
    'Give the role, or list the origin.',
    1008,
  ),
  rate_limited: entry(
    'gateway',
    true,
    429,
    'The caller sent too much.',
    'Too much at once: {reason}.',
    'Wait until some of it has ended, or for the time in Retry-After.',
  ),
  invalid_request: entry(
    'gateway',
    false,
    400,
    'The frame or body cannot be understood.',
    'The request was not understood: {reason}.',
    'Correct the client; PROTOCOL.md has the shapes.',
  ),
  message_too_long: entry(
    'gateway',
    false,
    413,
    'The text has more than 10,000 UTF-16 units.',
    'The message has {length} characters; at most {limit} are accepted.',
    'Shorten or attach.',
  ),
  slow_consumer: entry(
    'gateway',
    true,
    503,
    'A socket did not read for too long.',
    'The connection was too slow and was closed; it can be resumed.',
    'Resume from the cursor.',
    1013,
  ),
  internal: entry(
    'engine',
    false,
    500,
    'A bug, or an end from outside that no other code describes.',
    'The message could not be completed ({reason}).',
    'Look at the turn in Temporal UI and at the logs.',
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

/** For a failure that ends a socket: by the catalogue, else as a refusal. */
export const closeCodeOf = (code: ErrorCode): number => errorCatalogue[code].closeCode ?? 1008;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCatalogue, value);
}

/** Values for the `{…}` of a catalogue sentence. Never secrets, never a vendor's text. */
export type ErrorFacts = Readonly<Record<string, string | number>>;

/** The wire form of a failure: in events as `error`, in frames, in problem documents. */
export interface ErrorInfo {
  readonly code: ErrorCode;
  /** A person's language. */
  readonly message: string;
  readonly retryable: boolean;
  readonly source: ErrorSource;
  readonly attempt?: number;
  /** What the backend asked for, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly support?: string;
  readonly upstream?: { readonly status: number | null; readonly requestId: string | null };
}

export interface CandorErrorOptions {
  readonly facts?: ErrorFacts;
  readonly cause?: unknown;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly upstream?: { readonly status: number | null; readonly requestId: string | null };
}

/** Fills a catalogue sentence. A missing fact reads «unknown»: a hole in a sentence is better than an invented value. */
export function toSentence(code: ErrorCode, facts: ErrorFacts = {}): string {
  return errorCatalogue[code].sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? 'unknown'));
}

/** Builds the wire form of a failure from its code and facts. */
export function toErrorInfo(code: ErrorCode, options: Omit<CandorErrorOptions, 'cause'> = {}): ErrorInfo {
  const { source, retryable } = errorCatalogue[code];
  return {
    code,
    message: toSentence(code, options.facts),
    retryable: options.retryable ?? retryable,
    source,
    ...(options.retryAfterMs === undefined ? {} : { retryAfterMs: options.retryAfterMs }),
    ...(options.upstream === undefined ? {} : { upstream: options.upstream }),
  };
}

/** An anticipated failure. Anything else that is thrown is a bug and is not caught. */
export class CandorError extends Error {
  readonly info: ErrorInfo;

  constructor(code: ErrorCode, options: CandorErrorOptions = {}) {
    super(toSentence(code, options.facts), options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CandorError';
    this.info = toErrorInfo(code, options);
  }

  get code(): ErrorCode {
    return this.info.code;
  }
}
