// Keeps what the page shows and what the gateway knows in step: one client an agent (candor/client, which comes back,
// resumes and sends again by itself), and every turn that it follows mirrored into the page's conversations.

import {
  createCandorClient,
  type CandorClient,
  type CandorClientOptions,
  type ConnectionState,
  type ConversationWatch,
  type Outgoing,
  type SentTurn,
  type TurnChange,
  type TurnHandle,
} from '../../src/client/index.ts';
import type { ErrorInfo } from '../../src/protocol/errors.ts';
import type { AgentSummary } from '../../src/protocol/frames.ts';
import type { AgentId, ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { terminalOf } from '../../src/protocol/transcript.ts';
import { openTurns, updateTurn, type Conversation } from './conversation.ts';
import type { Conversations } from './conversations.ts';
import { needsEvents, stateOfTurn, withHandle, type Turn } from './turn.ts';

export interface DeliveryOptions {
  readonly conversations: Conversations;
  /** What every client of the page is built with. */
  readonly client: Omit<CandorClientOptions, 'agentId' | 'onAgents' | 'onRefused'>;
  readonly onState: (agentId: AgentId, state: ConnectionState) => void;
  readonly onUnauthenticated: () => void;
  readonly onAgents: (agents: readonly AgentSummary[]) => void;
  /** A frame that names no turn of ours was refused. */
  readonly onRefused: (error: ErrorInfo) => void;
  /** The gateway's view of a conversation may have moved on: connected again, or a turn began or ended. */
  readonly onMoved: (
    conversationId: ConversationId,
    reason: 'reconnected' | 'watched' | 'accepted' | 'linked' | 'ended',
  ) => void;
}

export interface Delivery {
  connect(agentId: AgentId): void;
  /** Sends a message into the conversation, or into a new one. */
  send(agentId: AgentId, text: string, conversationId: ConversationId | null): SentTurn;
  /** Connects to the agent of the conversation and brings it up to date. */
  follow(conversation: Conversation): void;
  /** Sends or resumes a turn that was refused. */
  again(turnId: TurnId): void;
  /** Sends or resumes whatever of the conversation is not followed. */
  bring(conversationId: ConversationId): void;
  stop(turn: Turn, how: 'stop' | 'withdraw'): void;
  /** Drops a message that was never accepted. */
  forget(turnId: TurnId): void;
  unwatch(conversation: Conversation): void;
  reconnectNow(): void;
  close(): void;
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { conversations, onMoved } = options;
  const clients = new Map<AgentId, CandorClient>();
  const watches = new Map<ConversationId, ConversationWatch>();
  const followed = new Map<TurnId, { readonly handle: TurnHandle; readonly leave: () => void }>();

  const clientOf = (agentId: AgentId): CandorClient => {
    const known = clients.get(agentId);
    if (known !== undefined) return known;
    const client = createCandorClient({
      ...options.client,
      agentId,
      onAgents: options.onAgents,
      onRefused: (error) => options.onRefused(error),
    });
    clients.set(agentId, client);
    let greeted = false;
    client.onState((state) => {
      if (state.kind === 'refused' && state.error.code === 'unauthenticated') return options.onUnauthenticated();
      options.onState(agentId, state);
      if (state.kind !== 'open') return;
      if (greeted) returned(agentId);
      greeted = true;
    });
    options.onState(agentId, client.state);
    // What an earlier life of the page had sent and not seen the end of.
    for (const handle of client.turns) attach(handle);
    return client;
  };

  const returned = (agentId: AgentId): void => {
    for (const conversation of conversations.get().values()) {
      if (conversation.agentId === agentId) onMoved(conversation.conversationId, 'reconnected');
    }
  };

  /** Shows what becomes of the turn. */
  const attach = (handle: TurnHandle): void => {
    const { turnId } = handle;
    if (followed.get(turnId)?.handle === handle) return;
    followed.get(turnId)?.leave();
    const leave = handle.subscribe((change) => {
      show(handle);
      const { conversationId } = handle;
      const reason = toReason(change);
      if (conversationId !== null && reason !== null) onMoved(conversationId, reason);
    });
    followed.set(turnId, { handle, leave });
    show(handle);
  };

  const show = (handle: TurnHandle): void => {
    const { turnId, conversationId } = handle;
    const id = conversationId ?? conversations.findTurn(turnId)?.conversationId;
    if (id === undefined) return;
    conversations.update(id, (known) => updateTurn(known, turnId, (turn) => withHandle(turn, handle)));
  };

  const bring = (conversationId: ConversationId): void => {
    const conversation = conversations.find(conversationId);
    const client = conversation === null ? undefined : clients.get(conversation.agentId);
    if (conversation === null || client === undefined || isOver(client)) return;
    // The gateway cannot watch what it does not know; `linked` brings us back here.
    if (conversation.load !== 'new') watch(client, conversationId);
    for (const turn of conversation.turns) bringTurn(client, turn);
  };

  const bringTurn = (client: CandorClient, turn: Turn): void => {
    const { turnId, outgoing, transcript } = turn;
    if (stateOfTurn(turn) === 'unsent' && outgoing !== null) attach(client.send(toMessage(outgoing)));
    else if (needsEvents(turn)) attach(client.resume(turnId, transcript));
  };

  const watch = (client: CandorClient, conversationId: ConversationId): void => {
    // Also asks once more when it was refused: a conversation that was not linked yet may be by now.
    const watched = client.watch(conversationId);
    if (watches.get(conversationId) === watched) return;
    watches.set(conversationId, watched);
    watched.subscribe((what) => {
      if (what === 'refused') return refused(watched);
      for (const { turn } of watched.turns) if (turn !== null) attach(turn);
      if (what === 'listed') onMoved(conversationId, 'watched');
    });
  };

  const refused = ({ conversationId, refusal }: ConversationWatch): void => {
    const conversation = conversations.find(conversationId);
    // Not linked yet: its own events still come, and `linked` watches again.
    if (refusal !== null && (conversation === null || openTurns(conversation).length === 0)) options.onRefused(refusal);
  };

  return {
    connect: (agentId) => void clientOf(agentId),
    send(agentId, text, conversationId) {
      return clientOf(agentId).send({ text, ...(conversationId === null ? {} : { conversationId }) });
    },
    follow(conversation) {
      clientOf(conversation.agentId);
      bring(conversation.conversationId);
    },
    again(turnId) {
      const turn = conversations.findTurn(turnId);
      const conversation = turn === null ? null : conversations.find(turn.conversationId);
      if (turn !== null && conversation !== null) bringTurn(clientOf(conversation.agentId), turn);
    },
    bring,
    stop(turn, how) {
      const conversation = conversations.find(turn.conversationId);
      if (conversation === null) return;
      const handle = clientOf(conversation.agentId).resume(turn.turnId, turn.transcript);
      attach(handle);
      // A refusal stands in the turn's state.
      void (how === 'stop' ? handle.stop() : handle.withdraw());
    },
    forget(turnId) {
      const known = followed.get(turnId);
      known?.leave();
      followed.delete(turnId);
      known?.handle.forget();
    },
    unwatch({ conversationId }) {
      watches.get(conversationId)?.close();
      watches.delete(conversationId);
    },
    reconnectNow() {
      for (const client of clients.values()) client.reconnectNow();
    },
    close() {
      for (const { leave } of followed.values()) leave();
      for (const client of clients.values()) client.close();
    },
  };
}

const isOver = ({ state }: CandorClient): boolean => state.kind === 'refused' || state.kind === 'closed';

function toReason({ event, after }: TurnChange): 'accepted' | 'linked' | 'ended' | null {
  switch (event?.type) {
    case 'turn_accepted':
      return 'accepted';
    case 'agent_started':
      return 'linked';
    case 'turn_completed':
    case 'turn_failed':
    case 'turn_cancelled':
      return terminalOf(after) === null ? null : 'ended';
    default:
      return null;
  }
}

const toMessage = ({ turnId, conversationId, text }: Outgoing) => ({ turnId, conversationId, text });
