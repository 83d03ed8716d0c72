// The client of one agent: one connection, and what is to be known and done over it whatever becomes of it. Every frame
// may be lost with its connection, so each `hello` starts from what is known here and not from what was sent before.

import { toErrorInfo, type ErrorInfo } from '../protocol/errors.ts';
import type { AgentSummary, ErrorFrame, HelloFrame, ServerFrame } from '../protocol/frames.ts';
import { isUuid, type AgentId, type ConversationId, type TurnId } from '../protocol/ids.ts';
import { emptyTranscript, type Transcript } from '../protocol/transcript.ts';
import type { Attachment, BusyMode } from '../protocol/turn.ts';
import { CandorClientError } from './client-error.ts';
import { systemClock, type Clock } from './clock.ts';
import { createConnection, type ConnectionState } from './connection.ts';
import { newId } from './new-id.ts';
import { noOutbox, type Outbox, type Outgoing } from './outbox.ts';
import { createProbe } from './probe.ts';
import { findOwnSocket, type OpenSocket } from './socket-opener.ts';
import type { TokenSource } from './token.ts';
import { createTurn, type Turn } from './turn.ts';
import type { TurnHandle } from './turn-handle.ts';
import { createWatch, type ConversationWatch, type Watch } from './watch.ts';

export interface CandorClientOptions {
  /** Address of a gateway, `http:` or `https:`; a function is asked before each connection. Any gateway serves any turn. */
  readonly url: string | (() => string);
  readonly agentId: string;
  readonly token: TokenSource;
  /** Default: the platform's WebSocket. Node 20 has none; see docs/client.md. */
  readonly openSocket?: OpenSocket;
  /** Default: messages are kept as long as the client lives. */
  readonly outbox?: Outbox;
  /** The agents of the gateway have changed. */
  readonly onAgents?: (agents: readonly AgentSummary[]) => void;
  /** A frame that is about no turn or conversation of this client was refused. */
  readonly onRefused?: (error: ErrorInfo, inReplyTo: string | undefined) => void;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  /** 0 to 1. */
  readonly random?: () => number;
}

export interface Message {
  readonly text: string;
  /** Default: a new conversation. */
  readonly conversationId?: string;
  /** Default: a new id. A message that is sent twice under one id is one turn (R2). */
  readonly turnId?: string;
  readonly busy?: BusyMode;
  readonly parentTurnId?: string;
  readonly regenerateOf?: string;
  readonly attachments?: readonly Attachment[];
}

export interface SentTurn extends TurnHandle {
  readonly conversationId: ConversationId;
}

export interface CandorClient {
  readonly state: ConnectionState;
  onState(listener: (state: ConnectionState) => void): () => void;
  /** Turns that are not over or that somebody looks at, those of the outbox included. */
  readonly turns: readonly TurnHandle[];
  /**
   * Returns at once. The message is kept, and sent again under the same id, until it is accepted (R4). A known turn is
   * returned as it is; one that was refused for good is tried anew.
   *
   * @throws Error for an id that is no UUID, or on a closed client
   */
  send(message: Message): SentTurn;
  /** Follows a turn from its first event, running or long over; or from where an earlier transcript of it ends. */
  resume(turnId: string, from?: Transcript): TurnHandle;
  /** The same watch for the same conversation until it is closed. */
  watch(conversationId: string): ConversationWatch;
  /** Does not wait for the next try: the network is back, or a person asked. */
  reconnectNow(): void;
  /** Ends the connection and every timer. What waits rejects with code `closed`; the outbox keeps what is not over. */
  close(): void;
}

export function createCandorClient(options: CandorClientOptions): CandorClient {
  const { token, url, outbox = noOutbox, clock = systemClock, random = Math.random } = options;
  const agentId = options.agentId as AgentId;
  const turns = new Map<TurnId, Turn>();
  const watches = new Map<ConversationId, Watch>();
  const listeners = new Set<(state: ConnectionState) => void>();
  let state: ConnectionState = { kind: 'connecting' };

  const connection = createConnection({
    ...{ agentId: options.agentId, token, clock, random },
    url: typeof url === 'function' ? url : () => url,
    openSocket: options.openSocket ?? findOwnSocket(),
    probe: createProbe(options.fetch ?? ((input, init) => fetch(input, init))),
    onState(next) {
      state = next;
      if (next.kind === 'refused') endAll((operation) => new CandorClientError(operation, next.error));
      for (const listener of [...listeners]) listener(next);
    },
    onHello() {
      // Turns first: what is resumed from its cursor is not begun anew by the watch of its conversation.
      for (const turn of turns.values()) turn.connected();
      for (const watch of watches.values()) watch.connected();
    },
    onFrame: (frame) => receive(frame),
    isWordDue: () => [...turns.values()].some((turn) => turn.isWordDue),
  });

  const endAll = (toError: (operation: string) => CandorClientError): void => {
    for (const turn of [...turns.values()]) turn.end(toError(`follow the turn ${turn.turnId}`));
    turns.clear();
  };

  const add = (turnId: TurnId, message: Outgoing | null, from: Transcript): Turn => {
    const turn = createTurn({
      ...{ turnId, message, from, clock, outbox },
      send: (frame) => connection.send(frame),
      onInterest(changed) {
        if (!changed.isHeld) turns.delete(turnId);
        else if (state.kind !== 'closed' && state.kind !== 'refused') turns.set(turnId, changed);
      },
      onForgotten: () => turns.delete(turnId),
    });
    turns.set(turnId, turn);
    return turn;
  };

  /** @throws Error when nothing can be sent any more */
  const mustBeOpen = (operation: string): void => {
    if (state.kind === 'closed') throw new CandorClientError(operation, null);
    if (state.kind === 'refused') throw new CandorClientError(operation, state.error);
  };

  const receive = (frame: Exclude<ServerFrame, HelloFrame>): void => {
    switch (frame.type) {
      case 'agents_changed':
        return options.onAgents?.(frame.agents);
      case 'conversation':
        return watches.get(frame.conversationId)?.told(frame);
      case 'error':
        return refused(frame);
      default: {
        if (!('turnId' in frame)) return;
        const to = watches.get(frame.conversationId) ?? turns.get(frame.turnId);
        to?.receive(frame);
      }
    }
  };

  const refused = ({ error, inReplyTo }: ErrorFrame): void => {
    const turn = turns.get(inReplyTo as TurnId);
    const watch = watches.get(inReplyTo as ConversationId);
    if (turn !== undefined) {
      turn.refused(error);
      if (turn.failure !== null) turns.delete(turn.turnId);
    } else if (watch !== undefined) watch.refused(error);
    else options.onRefused?.(error, inReplyTo);
  };

  for (const message of outbox.list()) if (message.agentId === agentId) add(message.turnId, message, emptyTranscript);

  return {
    get state() {
      return state;
    },
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get turns() {
      return [...turns.values()];
    },
    send({ text, turnId = newId(), conversationId = newId(), ...rest }) {
      mustBeOpen('send a message');
      const known = turns.get(toId<TurnId>('turnId', turnId));
      if (known !== undefined && isSent(known)) return known;
      // It was only asked for, and nobody knows yet whether there is one: now there is a message to make it.
      known?.forget();
      const message: Outgoing = {
        ...{
          turnId: turnId as TurnId,
          conversationId: toId<ConversationId>('conversationId', conversationId),
          agentId,
        },
        ...{ text, ...(rest as Pick<Outgoing, 'busy' | 'parentTurnId' | 'regenerateOf' | 'attachments'>) },
        ...{ writtenAtMs: clock.nowMs(), accepted: false },
      };
      outbox.put(message);
      const turn = add(message.turnId, message, emptyTranscript);
      turn.follow();
      return turn as Turn & SentTurn;
    },
    resume(turnId, from = emptyTranscript) {
      mustBeOpen('resume a turn');
      const turn = turns.get(toId<TurnId>('turnId', turnId)) ?? add(turnId as TurnId, null, from);
      turn.follow();
      return turn;
    },
    watch(conversationId) {
      mustBeOpen('watch a conversation');
      const id = toId<ConversationId>('conversationId', conversationId);
      const known = watches.get(id);
      if (known !== undefined) {
        if (known.refusal !== null) known.connected();
        return known;
      }
      const watch = createWatch({
        ...{ conversationId: id, clock, send: (frame) => connection.send(frame) },
        turnOf: (turnId) => turns.get(turnId) ?? add(turnId, null, emptyTranscript),
        onClosed: () => watches.delete(id),
      });
      watches.set(id, watch);
      return watch;
    },
    reconnectNow: () => connection.reconnectNow(),
    close() {
      for (const watch of [...watches.values()]) watch.close();
      connection.close();
      endAll((operation) => new CandorClientError(operation, null));
    },
  };
}

const isSent = (turn: Turn): turn is Turn & SentTurn => turn.conversationId !== null;

function toId<Id extends string>(name: string, value: string): Id {
  if (isUuid(value)) return value as Id;
  const { message } = toErrorInfo('invalid_request', { facts: { reason: `${name} is no lower-case UUID: ${value}` } });
  throw new Error(`unable to address a turn or conversation; ${message}`);
}
