// What a signed-in person can do: the list of conversations, the one that is open, and the messages in it. It owns no
// turn state; conversations.ts does.

import type { CandorClientOptions, Clock, Outbox, Outgoing } from '../../src/client/index.ts';
import type { AgentId, ConversationId, TurnId } from '../../src/protocol/ids.ts';
import { initialChatState, withNewestPage, type ChatState } from './chat-state.ts';
import { newConversation, openTurns, updateTurn, withOutgoing, withoutTurn } from './conversation.ts';
import { createConversationLoader } from './conversation-loader.ts';
import { createConversations, type Conversations } from './conversations.ts';
import { createDelivery } from './delivery.ts';
import { createObservable, type Observable } from './observable.ts';
import { RestError, type Rest } from './rest.ts';
import { startStatusPoll } from './status-poll.ts';

export interface Chat extends Observable<ChatState> {
  readonly conversations: Conversations;
  open(id: ConversationId | null): void;
  /** Asks once more for a conversation that could not be loaded. */
  reload(id: ConversationId): void;
  chooseAgent(agentId: AgentId): void;
  /** Sends a message into the open conversation, which is made when there is none. */
  send(text: string): void;
  stop(turnId: TurnId): void;
  withdraw(turnId: TurnId): void;
  /** Sends a refused message again, under the same id. */
  sendAgain(turnId: TurnId): void;
  /** Drops a message that was never accepted. */
  discard(turnId: TurnId): void;
  showDetails(turnId: TurnId): void;
  rename(id: ConversationId, title: string): Promise<void>;
  remove(id: ConversationId): Promise<void>;
  loadMore(): Promise<void>;
  /** Another device may have changed the list while nobody looked. */
  refresh(): void;
  dismissNotice(): void;
  reconnectNow(): void;
  close(): void;
}

export interface ChatOptions extends Pick<CandorClientOptions, 'url' | 'token' | 'openSocket' | 'fetch' | 'random'> {
  readonly rest: Rest;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly schedule: (tell: () => void) => void;
  readonly onUnauthenticated: () => void;
  /** The open conversation was chosen here, not by the address. */
  readonly onOpened: (id: ConversationId | null) => void;
}

export function createChat(options: ChatOptions): Chat {
  const { rest, outbox, clock, schedule, onUnauthenticated, onOpened, ...client } = options;
  const conversations = createConversations(schedule);
  const state = createObservable<ChatState>(initialChatState, schedule);
  const patch = (part: Partial<ChatState>): void => state.set({ ...state.get(), ...part });

  /** A refusal is told to the reader; anything else is a bug and is not caught. */
  const notify = (error: unknown): void => {
    if (!(error instanceof RestError)) throw error;
    patch({ notice: error.problem });
  };

  const loader = createConversationLoader({
    rest,
    outbox,
    conversations,
    clock,
    isOpen: (id) => id === state.get().openId,
    onLoaded: (id) => follow(id),
  });

  const delivery = createDelivery({
    conversations,
    client: { ...client, outbox, clock },
    onUnauthenticated,
    onState: (agentId, connection) => patch({ connections: new Map(state.get().connections).set(agentId, connection) }),
    onAgents: (agents) => patch({ agents }),
    onRefused: ({ code, message }) => patch({ notice: { code, message } }),
    onMoved(id, reason) {
      switch (reason) {
        case 'reconnected':
          if (id === state.get().openId) void loader.load(id);
          return;
        case 'watched':
          return void loader.askForVerdicts(id);
        case 'linked':
          if (!loader.markLinked(id)) return;
          delivery.bring(id);
          break;
        case 'ended':
          void loader.catchUp(id).then(() => loader.askForVerdicts(id));
          return void loadList();
        case 'accepted':
      }
      void loader.catchUp(id);
      void loadList();
    },
  });

  const loadList = async (): Promise<void> => {
    try {
      const { items, next } = await rest.conversations(null);
      state.set(withNewestPage(state.get(), items, next));
      for (const { conversationId, title } of items) {
        conversations.update(conversationId, (known) => (known.title === title ? known : { ...known, title }));
      }
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      patch({ listState: { problem: error.problem } });
    }
  };

  /** Makes known here what the outbox holds, so that it is shown and delivered without being opened. */
  const adopt = (message: Outgoing): void => {
    const { conversationId, agentId } = message;
    if (conversations.find(conversationId) === null) conversations.put(newConversation(conversationId, agentId, 'new'));
    conversations.update(conversationId, (known) => withOutgoing(known, message));
  };

  const follow = (id: ConversationId): void => {
    const conversation = conversations.find(id);
    if (conversation !== null) delivery.follow(conversation);
  };

  const stop = (turnId: TurnId, how: 'stop' | 'withdraw'): void => {
    const turn = conversations.findTurn(turnId);
    if (turn !== null) delivery.stop(turn, how);
  };

  for (const message of outbox.list()) adopt(message);
  for (const id of conversations.get().keys()) follow(id);
  void loadList();
  const stopPolling = startStatusPoll(rest, clock, (status) => patch({ status }));
  void rest.agents().then(({ agents }) => {
    const known = agents.some(({ id }) => id === state.get().agentId);
    patch({ agents, ...(known || agents[0] === undefined ? {} : { agentId: agents[0].id }) });
    // The first message then finds an open socket.
    delivery.connect(state.get().agentId);
  }, notify);

  return {
    get: state.get,
    subscribe: state.subscribe,
    conversations,
    open(id) {
      const { openId, items, agentId } = state.get();
      if (openId === id && id !== null) return;
      const left = openId === null ? null : conversations.find(openId);
      if (left !== null && openTurns(left).length === 0) delivery.unwatch(left);
      patch({ openId: id, notice: null });
      if (id === null) return;
      if (conversations.find(id) === null) {
        const agent = items.find((item) => item.conversationId === id)?.agentId ?? agentId;
        conversations.put(newConversation(id, agent, 'loading'));
      }
      void loader.load(id);
    },
    reload(id) {
      conversations.update(id, (known) => ({ ...known, load: 'loading' }));
      void loader.load(id);
    },
    chooseAgent(agentId) {
      patch({ agentId });
      delivery.connect(agentId);
    },
    send(text) {
      const { openId, agentId } = state.get();
      const agent = (openId === null ? null : conversations.find(openId))?.agentId ?? agentId;
      const { turnId, conversationId } = delivery.send(agent, text, openId);
      adopt({ turnId, conversationId, agentId: agent, text, writtenAtMs: clock.nowMs(), accepted: false });
      if (openId === null) {
        patch({ openId: conversationId });
        onOpened(conversationId);
      }
      follow(conversationId);
    },
    stop: (turnId) => stop(turnId, 'stop'),
    withdraw: (turnId) => stop(turnId, 'withdraw'),
    sendAgain: (turnId) => delivery.again(turnId),
    discard(turnId) {
      const turn = conversations.findTurn(turnId);
      delivery.forget(turnId);
      outbox.remove(turnId);
      if (turn !== null) conversations.update(turn.conversationId, (known) => withoutTurn(known, turnId));
    },
    showDetails(turnId) {
      const turn = conversations.findTurn(turnId);
      if (turn === null) return;
      conversations.update(turn.conversationId, (known) =>
        updateTurn(known, turnId, (old) => (old.detailsWanted ? old : { ...old, detailsWanted: true })),
      );
      delivery.bring(turn.conversationId);
    },
    async rename(id, title) {
      await rest.rename(id, title).then(() => {
        patch({ items: state.get().items.map((item) => (item.conversationId === id ? { ...item, title } : item)) });
        conversations.update(id, (known) => ({ ...known, title }));
      }, notify);
    },
    async remove(id) {
      await rest.remove(id).then(() => {
        for (const { turnId, conversationId } of outbox.list()) if (conversationId === id) delivery.forget(turnId);
        conversations.remove(id);
        patch({ items: state.get().items.filter((item) => item.conversationId !== id) });
        if (state.get().openId !== id) return;
        patch({ openId: null });
        onOpened(null);
      }, notify);
    },
    async loadMore() {
      const { next } = state.get();
      if (next === null) return;
      await rest.conversations(next).then((page) => {
        patch({ items: [...state.get().items, ...page.items], next: page.next });
      }, notify);
    },
    refresh: () => void loadList(),
    dismissNotice: () => patch({ notice: null }),
    reconnectNow: () => delivery.reconnectNow(),
    close() {
      stopPolling();
      loader.close();
      delivery.close();
    },
  };
}
