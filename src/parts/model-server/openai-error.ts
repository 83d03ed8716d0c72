/**
 * Every way this server can refuse a request, as the error object of OpenAI's API. The adapters that talk to us decide
 * by status, `type` and `code` whether to try again, so a refusal has one place where these three belong together.
 */

/** What a client receives: `{error: {message, type, param, code}}`. */
export type OpenAiErrorBody = {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
};

type RefusalFields = {
  readonly status: number;
  readonly type: 'invalid_request_error' | 'server_error' | 'rate_limit_error';
  readonly code: string | null;
  readonly param?: string | null;
  readonly retryAfterSeconds?: number;
};

/** An anticipated refusal; anything else that is thrown is a bug and answered with 500. */
export class Refusal extends Error {
  readonly status: number;
  readonly retryAfterSeconds: number | null;
  readonly body: OpenAiErrorBody;

  constructor(message: string, fields: RefusalFields) {
    super(message);
    this.name = 'Refusal';
    this.status = fields.status;
    this.retryAfterSeconds = fields.retryAfterSeconds ?? null;
    this.body = { error: { message, type: fields.type, param: fields.param ?? null, code: fields.code } };
  }
}

export function createInvalidRequest(message: string, param: string | null, code: string | null = null): Refusal {
  return new Refusal(message, { status: 400, type: 'invalid_request_error', code, param });
}

export function createModelNotFound(model: string, known: string): Refusal {
  return new Refusal(`The model '${model}' does not exist here; this server has '${known}'.`, {
    status: 404,
    type: 'invalid_request_error',
    code: 'model_not_found',
    param: 'model',
  });
}

export function createContextTooLong(promptTokens: number, contextTokens: number): Refusal {
  return createInvalidRequest(
    `This model's maximum context length is ${contextTokens} tokens. However, your messages resulted in ${promptTokens} tokens. Please reduce the length of the messages.`,
    'messages',
    'context_length_exceeded',
  );
}

export function createQueueFull(queued: number, retryAfterSeconds: number): Refusal {
  return new Refusal(`The queue is full: ${queued} requests are waiting. Try again in ${retryAfterSeconds} s.`, {
    status: 429,
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    retryAfterSeconds,
  });
}

export function createModelLoading(progress: number): Refusal {
  return new Refusal(`The model is loading (${Math.floor(progress * 100)} %).`, {
    status: 503,
    type: 'server_error',
    code: 'model_loading',
    retryAfterSeconds: 1,
  });
}

export function createModelFailed(reason: string): Refusal {
  return new Refusal(`The model is not available: ${reason}`, {
    status: 503,
    type: 'server_error',
    code: 'model_failed',
    retryAfterSeconds: 30,
  });
}

/** The body for a bug: its text stays in this process's log. */
export function createInternalErrorBody(): OpenAiErrorBody {
  return { error: { message: 'The server had an error.', type: 'server_error', param: null, code: 'internal_error' } };
}
