// What a signed-in person can do: the list of conversations, the one that is open, and the messages in it. It owns no
// turn state; conversations.ts does.

import type { AgentSummary } from '../../src/protocol/frames.ts';
import type { AgentId, ConversationId, TurnId } from '../../src/protocol/ids.ts';
import {
  newConversation,
  openTurns,
  updateTurn,
  withLoaded,
  withOutgoing,
  withRefusal,
  withResource,
  withoutTurn,
} from './conversation.ts';
import { createConversations, type Conversations } from './conversations.ts';
import { createDelivery, type DeliveryOptions } from './delivery.ts';
import { createObservable, type Observable } from './observable.ts';
import type { Outgoing } from './outbox.ts';
import type { ConversationResource, StatusResource } from './resources.ts';
import { RestError, type Problem, type Rest } from './rest.ts';
import type { ConnectionState } from './socket.ts';
import { auditOf, isEnd, isOver, stateOfTurn, type Turn } from './turn.ts';

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

export interface Chat extends Observable<ChatState> {
  readonly conversations: Conversations;
  open(id: ConversationId | null): void;
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

export interface ChatOptions extends Pick<DeliveryOptions, 'clock' | 'random' | 'open' | 'outbox'> {
  readonly rest: Rest;
  readonly newId: () => string;
  readonly schedule: (tell: () => void) => void;
  readonly onUnauthenticated: () => void;
  /** The open conversation was chosen here, not by the address. */
  readonly onOpened: (id: ConversationId | null) => void;
}

const defaultAgentId = 'operator' as AgentId;
const firstVerdictMs = 3_000;
const maxVerdictMs = 60_000;
const statusPollMs = { loading: 1_500, settled: 20_000 } as const;

export function createChat(options: ChatOptions): Chat {
  const { rest, outbox, clock, newId, onOpened } = options;
  const conversations = createConversations(options.schedule);
  const state = createObservable<ChatState>(
    {
      agents: [],
      agentId: defaultAgentId,
      items: [],
      next: null,
      listState: 'loading',
      openId: null,
      connections: new Map(),
      status: null,
      notice: null,
    },
    options.schedule,
  );
  const patch = (part: Partial<ChatState>): void => state.set({ ...state.get(), ...part });
  let closed = false;
  let cancelPoll = (): void => undefined;
  const linked = new Set<ConversationId>();
  const verdictTimers = new Map<ConversationId, () => void>();

  /** A refusal of the gateway becomes a notice; anything else is a bug and is not caught. */
  const tellProblem = (show: (problem: Problem, error: RestError) => void) => (error: unknown) => {
    if (!(error instanceof RestError)) throw error;
    if (!closed) show(error.problem, error);
  };
  const notify = tellProblem((problem) => patch({ notice: problem }));

  const delivery = createDelivery({
    conversations,
    outbox,
    clock,
    random: options.random,
    open: options.open,
    onUnauthenticated: options.onUnauthenticated,
    probe: () =>
      rest.status().then(
        () => 'other' as const,
        (error: unknown) => (error instanceof RestError && error.status === 401 ? 'unauthenticated' : 'other'),
      ),
    onState: (agentId, connection) => patch({ connections: new Map(state.get().connections).set(agentId, connection) }),
    onAgents: (agents) => patch({ agents }),
    onRefused: ({ code, message }) => patch({ notice: { code, message } }),
    onMoved(id, reason) {
      if (reason === 'reconnected') return id === state.get().openId ? void load(id) : undefined;
      if (reason === 'watched') return void askForVerdicts(id);
      if (reason === 'linked' && linked.has(id)) return;
      if (reason === 'linked') {
        linked.add(id);
        conversations.update(id, (known) => (known.load === 'new' ? { ...known, load: 'loaded' } : known));
        delivery.bring(id);
      }
      void loadList();
      void loadTurns(id, isBehind);
      if (reason === 'ended') awaitVerdicts(id, firstVerdictMs);
    },
  });

  const load = async (id: ConversationId): Promise<void> => {
    try {
      const loaded = await rest.conversation(id);
      for (const turn of loaded.turns) outbox.remove(turn.turnId);
      conversations.update(id, (known) => withLoaded(known, loaded));
      linked.add(id);
      const conversation = conversations.find(id);
      if (conversation !== null) delivery.follow(conversation);
    } catch (error) {
      tellProblem((problem, { status }) => {
        // Its first message may wait for being linked: the turn is real, the graph does not have it yet.
        const local = (conversations.find(id)?.turns.length ?? 0) > 0;
        if (status === 401 || (status === 404 && local)) return;
        conversations.update(id, (known) => (known.load === 'loaded' ? known : { ...known, load: { problem } }));
      })(error);
    }
  };

  const loadTurns = async (id: ConversationId, isWanted: (turn: Turn) => boolean): Promise<void> => {
    for (const { turnId } of conversations.find(id)?.turns.filter(isWanted) ?? []) {
      try {
        const resource = await rest.turn(turnId);
        conversations.update(id, (known) => withResource(known, resource));
        if (linked.has(id) || isEnd(resource.state)) outbox.remove(turnId);
      } catch (error) {
        // The turn's own events still tell everything but the link; a later move asks again.
        tellProblem(() => undefined)(error);
      }
    }
  };

  /**
   * The verdict comes as an event to whoever follows the turn. A page that was loaded after the end follows nothing, so
   * it asks, at growing intervals, as long as somebody looks at the conversation.
   */
  const askForVerdicts = async (id: ConversationId, delayMs: number = firstVerdictMs): Promise<void> => {
    await loadTurns(id, awaitsVerdict);
    if (conversations.find(id)?.turns.some(awaitsVerdict) === true) awaitVerdicts(id, delayMs);
  };
  const awaitVerdicts = (id: ConversationId, delayMs: number): void => {
    if (closed || verdictTimers.has(id)) return;
    const cancel = clock.after(delayMs, () => {
      verdictTimers.delete(id);
      if (state.get().openId === id) void askForVerdicts(id, Math.min(delayMs * 2, maxVerdictMs));
    });
    verdictTimers.set(id, cancel);
  };

  const loadList = async (): Promise<void> => {
    try {
      const { items, next } = await rest.conversations(null);
      const more = state.get().items.filter((old) => !items.some((item) => item.conversationId === old.conversationId));
      const paged = next !== null && more.length > 0;
      patch({ items: paged ? [...items, ...more] : items, next: paged ? state.get().next : next, listState: 'ready' });
      for (const { conversationId, title } of items)
        conversations.update(conversationId, (known) => ({ ...known, title }));
    } catch (error) {
      tellProblem((problem) => patch({ listState: { problem } }))(error);
    }
  };

  const pollStatus = async (): Promise<void> => {
    let delayMs: number = statusPollMs.settled;
    try {
      const status = await rest.status();
      patch({ status });
      if (status.model.state === 'loading') delayMs = statusPollMs.loading;
    } catch (error) {
      tellProblem(() => undefined)(error);
      delayMs = statusPollMs.loading;
    }
    if (!closed) cancelPoll = clock.after(delayMs, () => void pollStatus());
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

  /** Remembered on the turn too, so that it is asked again when the connection is lost with the frame. */
  const stop = (turnId: TurnId, how: 'cancel' | 'withdraw'): void => {
    const turn = conversations.findTurn(turnId);
    if (turn === null) return;
    conversations.update(turn.conversationId, (known) =>
      updateTurn(known, turnId, (old) => ({ ...old, stopRequested: true, refusal: null })),
    );
    delivery.stop(turn, how);
  };

  for (const message of outbox.list()) adopt(message);
  for (const id of conversations.get().keys()) follow(id);
  void loadList();
  void pollStatus();
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
      void load(id);
    },
    chooseAgent(agentId) {
      patch({ agentId });
      delivery.connect(agentId);
    },
    send(text) {
      const { openId, agentId } = state.get();
      const conversationId = openId ?? (newId() as ConversationId);
      const known = conversations.find(conversationId);
      const message: Outgoing = {
        turnId: newId() as TurnId,
        conversationId,
        agentId: known?.agentId ?? agentId,
        text,
        writtenAtMs: clock.nowMs(),
        accepted: false,
      };
      outbox.put(message);
      adopt(message);
      if (openId === null) {
        patch({ openId: conversationId });
        onOpened(conversationId);
      }
      follow(conversationId);
    },
    stop: (turnId) => stop(turnId, 'cancel'),
    withdraw: (turnId) => stop(turnId, 'withdraw'),
    sendAgain(turnId) {
      const turn = conversations.findTurn(turnId);
      if (turn === null) return;
      conversations.update(turn.conversationId, (known) => withRefusal(known, turnId, null));
      delivery.again(turnId);
    },
    discard(turnId) {
      const turn = conversations.findTurn(turnId);
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
        outbox.removeConversation(id);
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
      closed = true;
      cancelPoll();
      for (const cancel of verdictTimers.values()) cancel();
      delivery.close();
    },
  };
}

/** REST has more to tell: the link to Temporal UI from the start, the outcome after the end. */
const isBehind = (turn: Turn): boolean =>
  stateOfTurn(turn) !== 'unsent' && (turn.resource === null || isOver(turn) !== isEnd(turn.resource.state));

const awaitsVerdict = (turn: Turn): boolean => isOver(turn) && auditOf(turn) === 'running';
