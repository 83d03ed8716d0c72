// What the chat asks over HTTP: lists and what is long over. A refusal is told in the gateway's words.

import type { TokenSource } from '../client/index.ts';
import type { AgentSummary } from '../protocol/frames.ts';
import type { Receipt } from '../protocol/receipt.ts';
import type { TurnState } from '../protocol/transcript.ts';

export interface ListedConversation {
  readonly conversationId: string;
  readonly title: string;
  readonly agentId: string;
  readonly updatedAt: string;
}

export interface ListedTurn {
  readonly turnId: string;
  readonly state: TurnState;
  readonly text: string | null;
  readonly answer: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly receipt: Receipt | null;
}

export interface ShownConversation extends ListedConversation {
  readonly turns: readonly ListedTurn[];
}

export interface Rest {
  conversations(): Promise<readonly ListedConversation[]>;
  conversation(id: string): Promise<ShownConversation>;
  agents(): Promise<readonly AgentSummary[]>;
}

/** What cannot be had; its message is for the reader. */
export class RestError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RestError';
  }
}

export function createRest(url: string, token: TokenSource): Rest {
  const get = async <Body>(path: string): Promise<Body> => {
    const bearer = typeof token === 'function' ? await token(null) : token;
    let response: Response;
    try {
      response = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${bearer}` } });
    } catch (cause) {
      throw new RestError(`unable to ask ${new URL(url).host}; it does not answer: is Candor running there?`, {
        cause,
      });
    }
    const body: unknown = await response.json().catch((cause: unknown) => {
      throw new RestError(`unable to read the answer of ${new URL(url).host}; it is no JSON`, { cause });
    });
    if (response.ok) return body as Body;
    const { detail, code } = body as { readonly detail?: string; readonly code?: string };
    throw new RestError(`${detail ?? `the gateway answered ${response.status}`} (${code ?? response.status})`);
  };
  return {
    conversations: async () =>
      (await get<{ items: readonly ListedConversation[] }>('/api/conversations?limit=20')).items,
    conversation: (id) => get(`/api/conversations/${encodeURIComponent(id)}`),
    agents: async () => (await get<{ agents: readonly AgentSummary[] }>('/api/agents')).agents,
  };
}
