// The gateway's REST routes. A refusal keeps the sentence that the gateway wrote for the reader: the page never makes
// up an error of its own, except for the one case in which nothing answered at all.

import type { ConversationId, TurnId } from '../../src/protocol/ids.ts';
import type {
  AgentsResource,
  ConversationResource,
  ConversationWithTurns,
  ListOf,
  SessionResource,
  StatusResource,
  TurnResource,
} from './resources.ts';

/** What a person can be told about something that went wrong. */
export interface Problem {
  /** From the error catalogue; `null` when no gateway answered. */
  readonly code: string | null;
  readonly message: string;
}

/** `status`: HTTP, or `null` when nothing answered. */
export class RestError extends Error {
  readonly status: number | null;
  readonly problem: Problem;

  constructor(status: number | null, problem: Problem, cause?: unknown) {
    super(problem.message, { cause });
    this.name = 'RestError';
    this.status = status;
    this.problem = problem;
  }
}

export interface Rest {
  exchangeCode(code: string): Promise<SessionResource>;
  status(): Promise<StatusResource>;
  agents(): Promise<AgentsResource>;
  conversations(next: string | null): Promise<ListOf<ConversationResource>>;
  conversation(id: ConversationId): Promise<ConversationWithTurns>;
  rename(id: ConversationId, title: string): Promise<void>;
  remove(id: ConversationId): Promise<void>;
  turn(id: TurnId): Promise<TurnResource>;
}

/** Every method: @throws RestError */
export function createRest(fetchJson: typeof fetch, token: () => string | null, onUnauthenticated: () => void): Rest {
  const call = async <Result>(method: string, path: string, body?: unknown): Promise<Result> => {
    const bearer = token();
    const init: RequestInit = {
      method,
      headers: {
        accept: 'application/json',
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    const response = await fetchJson(path, init).catch((cause: unknown) => {
      throw new RestError(null, { code: null, message: 'Candor cannot be reached.' }, cause);
    });
    if (response.ok) return (response.status === 204 ? undefined : await response.json()) as Result;
    if (response.status === 401 && bearer !== null) onUnauthenticated();
    throw new RestError(response.status, await readProblem(response));
  };
  return {
    exchangeCode: (code) => call('POST', '/api/session', { code }),
    status: () => call('GET', '/api/status'),
    agents: () => call('GET', '/api/agents'),
    conversations: (next) =>
      call('GET', `/api/conversations${next === null ? '' : `?next=${encodeURIComponent(next)}`}`),
    conversation: (id) => call('GET', `/api/conversations/${id}`),
    rename: (id, title) => call('PATCH', `/api/conversations/${id}`, { title }),
    remove: (id) => call('DELETE', `/api/conversations/${id}`),
    turn: (id) => call('GET', `/api/turns/${id}`),
  };
}

/** RFC 9457: `detail` is the sentence, `code` Candor's own member. */
async function readProblem(response: Response): Promise<Problem> {
  const text = await response.text();
  const body = parseObject(text);
  const message = [body?.['detail'], body?.['message'], body?.['title']].find((part) => typeof part === 'string');
  const code = body?.['code'];
  return {
    code: typeof code === 'string' ? code : null,
    message: message ?? `The address ${new URL(response.url).pathname} answered with status ${response.status}.`,
  };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : null;
  } catch {
    // Swallowed: a proxy in front of the gateway answers in HTML; its status is all that can be told.
    return null;
  }
}
