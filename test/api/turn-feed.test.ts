// A feed between the lane, the workflow's log and the workflow's outcome: only the outcome ends a turn, with its texts.
// The engine and the graph are stand-ins at their ports, so that a test says in which order they answer.

import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createFeedCursor } from '../../src/api/feed-cursor.ts';
import { createTurnFeed } from '../../src/api/turn-feed.ts';
import { createMemoryLane } from '../../src/live/memory.ts';
import { startCursor } from '../../src/protocol/cursor.ts';
import type { SequencedEvent, TurnEvent } from '../../src/protocol/events.ts';
import type { AgentId, UserId } from '../../src/protocol/ids.ts';
import type { EngineEnd, GatewayGraph, StoredTurn, TurnEngine } from '../../src/protocol/ports.ts';
import type { Receipt } from '../../src/protocol/receipt.ts';
import { answerOf, toTranscript } from '../../src/protocol/transcript.ts';
import { toLogged } from '../../src/protocol/turn.ts';
import { newConversationId, newTurnId } from '../stack.ts';

const [turnId, conversationId, agentId] = [newTurnId(), newConversationId(), 'operator' as AgentId];
const time = '2026-01-01T00:00:00.000Z';
const at = { turnId, conversationId, time };
const log: readonly SequencedEvent[] = [
  { type: 'turn_accepted', ...at, seq: 1, agentId, text: 'Why?' },
  { type: 'agent_started', ...at, seq: 2, agentId, model: 'm', context: [] },
  { type: 'agent_thinking', ...at, seq: 3, agentId, step: 1, attempt: 1, maxAttempts: 4, model: 'm' },
  { type: 'conversation_stored', ...at, seq: 4, storedAt: time },
  {
    type: 'turn_cancelled',
    ...at,
    seq: 5,
    by: 'user',
    requestedAt: time,
    upstreamClosedAt: time,
    charsAfterStop: 0,
    receipt: {} as Receipt,
  },
];
const text = 'as far as';
const steps: StoredTurn['steps'] = [
  {
    ...{ agentId, step: 1, attempt: 1, text, reasoning: '', incomplete: true },
    sha256: createHash('sha256').update(text).digest('hex'),
  },
];

function createFeedOfStoppedTurn() {
  let close: (end: EngineEnd) => void = () => undefined;
  const closed = new Promise<EngineEnd>((resolve) => (close = resolve));
  const engine: Partial<TurnEngine> = {
    // The workflow has its end in its log, and is about to close.
    log: async () => ({ log, texts: steps }),
    pending: async () => null,
    waitForEnd: () => closed,
  };
  const graph: Partial<GatewayGraph> = { turn: async () => ({ steps }) as unknown as StoredTurn };
  const lane = createMemoryLane();
  const ignore = (): void => undefined;
  const feed = createTurnFeed(
    turnId,
    { conversationId, userId: 'ada' as UserId, agentId, contentSha256: '' },
    { kind: 'open' },
    {
      ...{ lane, engine: engine as TurnEngine, graph: graph as GatewayGraph },
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    },
  );
  const got: TurnEvent[] = [];
  const reader = createFeedCursor(feed, startCursor, () => got.push(...reader.take()));
  return {
    feed,
    lane,
    got,
    close: (): void => close({ state: 'closed', result: { outcome: 'cancelled', log: log.map(toLogged) } }),
    end: async () => {
      feed.close();
      await lane.close();
    },
  };
}

test('an end that stands in the log of a workflow still open waits for the outcome, and for the text before it', async () => {
  const { feed, got, close, end } = createFeedOfStoppedTurn();
  await feed.ready;
  expect(got.at(-1)?.type).toBe('conversation_stored');
  close();
  await feed.ended;
  expect(got.slice(-2).map((event) => event.type)).toEqual(['delta', 'turn_cancelled']);
  expect(answerOf(toTranscript(got))).toBe(text);
  await end();
});

test('text that the lane brings behind the end is not shown: it is not what was stored', async () => {
  const { feed, lane, got, close, end } = createFeedOfStoppedTurn();
  close();
  await feed.ended;
  const delta = { type: 'delta', ...at, agentId, step: 1, attempt: 1, channel: 'answer', after: 3 } as const;
  lane.publish({ ...delta, offset: text.length, text: ' it went on' });
  expect(got.at(-1)?.type).toBe('turn_cancelled');
  expect(answerOf(feed.transcript)).toBe(text);
  await end();
});
