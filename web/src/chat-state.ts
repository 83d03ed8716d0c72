// What the page shows besides the turns: the list, what is open, and how the parts are.

import type { ConnectionState } from '../../src/client/index.ts';
import type { AgentSummary } from '../../src/protocol/frames.ts';
import type { AgentId, ConversationId } from '../../src/protocol/ids.ts';
import type { ConversationResource, StatusResource } from './resources.ts';
import type { Problem } from './rest.ts';

export interface ChatState {
  readonly agents: readonly AgentSummary[];
  /** Agent of the next new conversation. */
  readonly agentId: AgentId;
  readonly items: readonly ConversationResource[];
  /** Opaque place of the next page; `null` at the end. */
  readonly next: string | null;
  readonly listState: 'loading' | 'ready' | { readonly problem: Problem };
  /** `null`: a conversation that has no message yet. */
  readonly openId: ConversationId | null;
  readonly connections: ReadonlyMap<AgentId, ConnectionState>;
  readonly status: StatusResource | null;
  /** The last thing that went wrong outside of a turn. */
  readonly notice: Problem | null;
}

export const initialChatState: ChatState = {
  agents: [],
  agentId: 'operator' as AgentId,
  items: [],
  next: null,
  listState: 'loading',
  openId: null,
  connections: new Map(),
  status: null,
  notice: null,
};

/** The newest page of the list takes the place of what it covers; older pages that were asked for stay. */
export function withNewestPage(
  state: ChatState,
  items: readonly ConversationResource[],
  next: string | null,
): ChatState {
  const listed = new Set(items.map(({ conversationId }) => conversationId));
  const older = next === null ? [] : state.items.filter(({ conversationId }) => !listed.has(conversationId));
  return { ...state, items: [...items, ...older], next: older.length > 0 ? state.next : next, listState: 'ready' };
}
