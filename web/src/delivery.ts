// Keeps what the page shows and what the gateway knows in step, over one connection an agent: sends what is not
// accepted, resumes what is not over, asks again for what a gap hides. Every frame may be lost with its connection, so
// each `hello` starts from what is known here and not from what was sent before.

import { toCursorFrame } from '../../src/protocol/log-hash.ts';
import { emptyTranscript, hasGap, terminalOf } from '../../src/protocol/transcript.ts';
import type { ErrorInfo } from '../../src/protocol/errors.ts';
import type { TurnEvent } from '../../src/protocol/events.ts';
import type { AgentSummary, ClientFrame, ErrorFrame, ServerFrame } from '../../src/protocol/frames.ts';
import { isUuid, type AgentId, type ConversationId, type TurnId } from '../../src/protocol/ids.ts';
import { applyTo, findTurn, openTurns, updateTurn, withRefusal, type Conversation } from './conversation.ts';
import type { Conversations } from './conversations.ts';
import type { Outbox } from './outbox.ts';
import {
  createConnection,
  type Clock,
  type Connection,
  type ConnectionState,
  type RawSocket,
  type SocketListener,
} from './socket.ts';
import { isEnd, isOver, stateOfTurn, type Turn } from './turn.ts';
import { toFrame } from './turn-frame.ts';

export interface DeliveryOptions {
  readonly conversations: Conversations;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: () => number;
  readonly open: (agentId: AgentId, listener: SocketListener) => RawSocket;
  readonly probe: () => Promise<'unauthenticated' | 'other'>;
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
  /** Connects to the agent of the conversation and brings it up to date. */
  follow(conversation: Conversation): void;
  /** Sends or resumes the turn once more, whatever is under way. */
  again(turnId: TurnId): void;
  /** Sends or resumes whatever of the conversation is not under way on the present connection. */
  bring(conversationId: ConversationId): void;
  stop(turn: Turn, how: 'cancel' | 'withdraw'): void;
  unwatch(conversation: Conversation): void;
  reconnectNow(): void;
  close(): void;
}

const gapCheckMs = 2_000;
const retryAfterRefusalMs = 3_000;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { conversations, outbox, clock, onMoved } = options;
  const connections = new Map<AgentId, Connection>();
  /** Turns that were sent or resumed on the present connection of their agent, and conversations watched on it. */
  const greeted = new Set<AgentId>();
  const underWay = new Map<AgentId, { turns: Set<TurnId>; watched: Set<ConversationId> }>();
  const timers = new Map<TurnId, () => void>();

  const underWayOf = (agentId: AgentId) => {
    const known = underWay.get(agentId) ?? { turns: new Set<TurnId>(), watched: new Set<ConversationId>() };
    underWay.set(agentId, known);
    return known;
  };
  const send = (agentId: AgentId, frame: ClientFrame): boolean => connections.get(agentId)?.send(frame) ?? false;

  const connect = (agentId: AgentId): void => {
    if (connections.has(agentId)) return;
    const connection = createConnection({
      clock,
      random: options.random,
      open: (listener) => options.open(agentId, listener),
      probe: options.probe,
      onState: (state) => options.onState(agentId, state),
      onUnauthenticated: options.onUnauthenticated,
      onFrame: (frame) => receive(agentId, frame),
      onHello() {
        underWay.delete(agentId);
        const isReturn = greeted.has(agentId);
        greeted.add(agentId);
        for (const conversation of conversations.get().values()) {
          if (conversation.agentId !== agentId) continue;
          bring(conversation.conversationId);
          if (isReturn) onMoved(conversation.conversationId, 'reconnected');
        }
      },
    });
    connections.set(agentId, connection);
  };

  const bring = (conversationId: ConversationId): void => {
    const conversation = conversations.find(conversationId);
    if (conversation === null) return;
    watch(conversation);
    for (const turn of conversation.turns) bringTurn(conversation.agentId, turn);
  };

  const watch = ({ agentId, conversationId, load }: Conversation): void => {
    // The gateway cannot watch what it does not know; `linked` brings us back here.
    if (load === 'new') return;
    const { watched } = underWayOf(agentId);
    if (!watched.has(conversationId) && send(agentId, { type: 'watch', conversationId })) watched.add(conversationId);
  };

  const bringTurn = (agentId: AgentId, turn: Turn): void => {
    const { turns } = underWayOf(agentId);
    if (turns.has(turn.turnId)) return;
    const frame = toFrame(turn);
    if (frame !== null && send(agentId, frame)) turns.add(turn.turnId);
    if (turn.stopRequested && !isOver(turn)) send(agentId, { type: 'cancel', turnId: turn.turnId });
  };

  /** Brings the turn once more after a while, unless it is brought or over before. */
  const later = (turnId: TurnId, delayMs: number, isStillNeeded: (turn: Turn) => boolean): void => {
    if (timers.has(turnId)) return;
    const cancel = clock.after(delayMs, () => {
      timers.delete(turnId);
      const turn = conversations.findTurn(turnId);
      if (turn !== null && isStillNeeded(turn)) again(turnId);
    });
    timers.set(turnId, cancel);
  };

  const again = (turnId: TurnId): void => {
    const turn = conversations.findTurn(turnId);
    const conversation = turn === null ? null : conversations.find(turn.conversationId);
    if (turn === null || conversation === null) return;
    underWayOf(conversation.agentId).turns.delete(turnId);
    bringTurn(conversation.agentId, turn);
  };

  const receive = (agentId: AgentId, frame: Exclude<ServerFrame, { type: 'hello' }>): void => {
    switch (frame.type) {
      case 'agents_changed':
        return options.onAgents(frame.agents);
      case 'error':
        return refused(agentId, frame);
      case 'conversation': {
        for (const { turnId, state } of frame.turns) {
          // What is over comes by REST, without replaying it.
          if (isEnd(state)) continue;
          conversations.update(frame.conversationId, (known) => updateTurn(known, turnId, (turn) => turn));
        }
        bring(frame.conversationId);
        return onMoved(frame.conversationId, 'watched');
      }
      default:
        if ('turnId' in frame) apply(agentId, frame);
    }
  };

  const apply = (agentId: AgentId, event: TurnEvent): void => {
    const { conversationId, turnId } = event;
    conversations.update(conversationId, (known) => applyTo(known, event));
    const conversation = conversations.find(conversationId);
    const turn = conversation === null ? null : findTurn(conversation, turnId);
    if (turn === null) return;
    switch (event.type) {
      case 'turn_accepted':
        outbox.accept(turnId);
        onMoved(conversationId, 'accepted');
        break;
      case 'agent_started':
        onMoved(conversationId, 'linked');
        break;
      case 'turn_completed':
      case 'turn_failed':
      case 'turn_cancelled':
        if (terminalOf(turn.transcript) !== null) onMoved(conversationId, 'ended');
        break;
      default:
    }
    if (!hasGap(turn.transcript) || timers.has(turnId)) return;
    send(agentId, { type: 'resume', turnId, cursor: toCursorFrame(turn.transcript) });
    later(turnId, gapCheckMs, ({ transcript }) => hasGap(transcript));
  };

  const refused = (agentId: AgentId, { error, inReplyTo }: ErrorFrame): void => {
    const turn = isUuid(inReplyTo) ? conversations.findTurn(inReplyTo as TurnId) : null;
    if (turn !== null) {
      if (error.code === 'invalid_request' && stateOfTurn(turn) !== 'unsent' && turn.transcript.log.length > 0) {
        // What was shown was provisional and is gone from the log: only the whole turn can be asked for.
        conversations.update(turn.conversationId, (known) =>
          updateTurn(known, turn.turnId, (old) => ({ ...old, transcript: emptyTranscript })),
        );
        return again(turn.turnId);
      }
      conversations.update(turn.conversationId, (known) => withRefusal(known, turn.turnId, error));
      if (error.retryable)
        later(turn.turnId, error.retryAfterMs ?? retryAfterRefusalMs, ({ refusal }) => refusal !== null);
      return;
    }
    const conversation = isUuid(inReplyTo) ? conversations.find(inReplyTo as ConversationId) : null;
    if (conversation === null) return options.onRefused(error);
    // Not linked yet: its own events still come, and `linked` watches again.
    underWayOf(agentId).watched.delete(conversation.conversationId);
    if (openTurns(conversation).length === 0) options.onRefused(error);
  };

  return {
    connect,
    again,
    follow(conversation) {
      connect(conversation.agentId);
      bring(conversation.conversationId);
    },
    bring,
    stop(turn, how) {
      const conversation = conversations.find(turn.conversationId);
      if (conversation !== null) send(conversation.agentId, { type: how, turnId: turn.turnId });
    },
    unwatch({ agentId, conversationId }) {
      if (!underWayOf(agentId).watched.delete(conversationId)) return;
      send(agentId, { type: 'unwatch', conversationId });
    },
    reconnectNow() {
      for (const connection of connections.values()) connection.reconnectNow();
    },
    close() {
      for (const cancel of timers.values()) cancel();
      for (const connection of connections.values()) connection.close();
    },
  };
}
