// What a caller can do with turns, whatever the transport: send, stop, withdraw. Sockets and routes call the same.

import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CandorError } from '../protocol/errors.ts';
import type { AgentId, ConversationId, TurnId } from '../protocol/ids.ts';
import type { LiveLane, ReadGraph, StoredTurn, TurnEngine } from '../protocol/ports.ts';
import type { MessageBody } from '../protocol/schema.ts';
import { terminalOf } from '../protocol/transcript.ts';
import { contentToHash, type TurnInput, type TurnMemo } from '../protocol/turn.ts';
import type { Caller } from './auth/caller.ts';
import type { ConversationWatchers } from './conversation-watchers.ts';
import type { TurnFeed } from './turn-feed.ts';
import type { TurnFeeds } from './turn-feeds.ts';

export interface TurnService {
  /**
   * Starts the turn, or attaches to it when it is the same message sent twice.
   * @throws CandorError `turn_not_found` (another user's id), `turn_conflict` (other content), `engine_unavailable`
   */
  send(caller: Caller, agentId: AgentId, conversationId: ConversationId, message: MessageBody): Promise<TurnFeed>;
  /** The durable signal first; once it is acknowledged, the model's connection directly. A turn that is over stays as it is. */
  cancel(caller: Caller, turnId: TurnId): Promise<void>;
  withdraw(caller: Caller, turnId: TurnId): Promise<void>;
}

export interface TurnServiceDependencies {
  readonly engine: TurnEngine;
  readonly graph: Pick<ReadGraph, 'turn'>;
  readonly lane: LiveLane;
  readonly feeds: TurnFeeds;
  readonly watchers: ConversationWatchers;
}

/** How long a message waits for the graph's word on its id. The first step of the workflow asks again, with patience. */
const recallMs = 500;

export function createTurnService(dependencies: TurnServiceDependencies): TurnService {
  const { engine, graph, lane, feeds, watchers } = dependencies;
  /** `null` also when the graph is away or slow: messages are accepted without it. */
  const recall = async (turnId: TurnId): Promise<StoredTurn | null> => {
    try {
      return await Promise.race([graph.turn(turnId), delay(recallMs, null, { ref: false })]);
    } catch (error) {
      if (error instanceof CandorError) return null;
      throw error;
    }
  };
  return {
    async send(caller, agentId, conversationId, message) {
      const input = toTurnInput(caller, agentId, conversationId, message);
      const { turnId, userId, contentSha256 } = input;
      // Temporal forgets; an id that only the graph knows is taken all the same, and starting it anew would hide the
      // turn that it belongs to.
      const stored = await recall(turnId);
      if (stored !== null) refuseOther(stored, input);
      if (stored?.result != null) return feeds.open(turnId, userId);
      const { started } = await engine.start(input);
      const memo: TurnMemo = { conversationId, userId, agentId, contentSha256 };
      if (started) {
        const feed = feeds.openFresh(turnId, memo);
        watchers.announce(feed);
        return feed;
      }
      const known = await feeds.memoOf(turnId);
      if (known === null) throw new CandorError('turn_not_found');
      refuseOther(known, input);
      return feeds.open(turnId, userId);
    },
    async cancel({ userId }, turnId) {
      const feed = await feeds.open(turnId, userId);
      if (terminalOf(feed.transcript) !== null) return;
      const requestedAt = new Date().toISOString();
      if (await engine.cancel(turnId, { by: 'user', requestedAt })) lane.requestStop(turnId, requestedAt);
    },
    async withdraw({ userId }, turnId) {
      const feed = await feeds.open(turnId, userId);
      if (terminalOf(feed.transcript) !== null) return;
      await engine.withdraw(turnId, { by: 'withdrawn', requestedAt: new Date().toISOString() });
    },
  };
}

/** @throws CandorError `turn_not_found`, `turn_conflict` */
function refuseOther(known: Pick<TurnMemo, 'userId' | 'contentSha256'>, { userId, contentSha256 }: TurnInput): void {
  if (known.userId !== userId) throw new CandorError('turn_not_found');
  if (known.contentSha256 !== contentSha256) throw new CandorError('turn_conflict');
}

function toTurnInput(
  caller: Caller,
  agentId: AgentId,
  conversationId: ConversationId,
  message: MessageBody,
): TurnInput {
  const turn = {
    conversationId,
    userId: caller.userId,
    agentId,
    text: message.text,
    parentTurnId: message.parentTurnId ?? null,
    regenerateOf: message.regenerateOf ?? null,
    attachments: message.attachments ?? [],
  };
  return {
    ...turn,
    turnId: message.turnId,
    busy: message.busy ?? 'enqueue',
    tier: caller.tier,
    contentSha256: createHash('sha256').update(contentToHash(turn), 'utf8').digest('hex'),
  };
}
