// A feed asks the durable side when it has to and not more often: a late reader is told all there is by one look, readers
// share it, a lane that works is not looked behind, and what a gateway does not know yet is not told a second time.

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { GapSource } from '../../src/api/delivery-metrics.ts';
import { createFeedCursor } from '../../src/api/feed-cursor.ts';
import { toResumePoint } from '../../src/api/own-cursor.ts';
import { createTurnFeed, type FeedOrigin, type TurnFeed } from '../../src/api/turn-feed.ts';
import { createTurnFeeds } from '../../src/api/turn-feeds.ts';
import { createMemoryLane } from '../../src/live/memory.ts';
import type { Delta, SequencedEvent, TurnEvent } from '../../src/protocol/events.ts';
import type { AgentId, ConversationId, TurnId, UserId } from '../../src/protocol/ids.ts';
import { logHash, toCursorFrame } from '../../src/protocol/log-hash.ts';
import type { EngineEnd, GatewayGraph, LiveLane, PendingStep, TurnEngine } from '../../src/protocol/ports.ts';
import { applyEvents, emptyTranscript, type Transcript } from '../../src/protocol/transcript.ts';
import type { StepText } from '../../src/protocol/turn.ts';
import { createLog } from '../../src/run/log.ts';

const conversationId = randomUUID() as ConversationId;
const agentId = 'operator' as AgentId;
const time = '2026-01-02T03:04:05.000Z';
const memo = { conversationId, userId: 'ada' as UserId, agentId, contentSha256: 'c'.repeat(64) };
/** Only what is asked for is looked at: nothing here is so long silent. */
const patient = { quietMs: 600_000, firstLookMs: 600_000, maxLookMs: 600_000 };
const forever = () => new Promise<EngineEnd | null>(() => undefined);

function createTurn() {
  const turnId = randomUUID() as TurnId;
  const envelope = { turnId, conversationId, time };
  const accepted: SequencedEvent = { ...envelope, type: 'turn_accepted', seq: 1, agentId, text: 'How?' };
  const started: SequencedEvent = { ...envelope, type: 'agent_started', seq: 2, agentId, model: 'm', context: [] };
  const call = { agentId, step: 1, attempt: 1 };
  const thinking: SequencedEvent = {
    ...{ ...envelope, type: 'agent_thinking', seq: 3, ...call, maxAttempts: 4, model: 'm' },
  };
  const completed: SequencedEvent = {
    ...{ ...envelope, type: 'agent_completed', seq: 4, ...call, text: 'So it is.', reasoningChars: 9 },
    ...{ finishReason: 'stop', incomplete: false, citations: [], unsupported: [], sha256: 'a'.repeat(64) },
    usage: { promptTokens: null, completionTokens: null, totalTokens: null },
  };
  const delta = (offset: number, text: string, channel: Delta['channel'] = 'answer'): Delta => ({
    ...{ ...envelope, type: 'delta', ...call, channel, offset, text, after: 3 },
  });
  const beat = (answer: string, reasoning = ''): PendingStep => ({
    ...{ errorCode: null, nextTryAt: null },
    heartbeat: { step: 1, attempt: 1, after: 3, answer, reasoning, loading: false },
  });
  return { turnId, accepted, started, thinking, completed, delta, beat, log: [accepted, started, thinking] };
}

interface Durable {
  log: readonly SequencedEvent[] | null;
  texts: readonly StepText[];
  pending: readonly PendingStep[];
  revision: number;
  /** Workers take a question and never answer. */
  isMute?: boolean;
}

/** An engine that says what it is told to say, and counts how often it is asked. */
function createEngine(durable: Durable) {
  const asked = { find: 0, stand: 0, log: 0, atOnce: 0, mostAtOnce: 0 };
  const count = async <Answer>(what: 'find' | 'stand' | 'log', answer: () => Answer): Promise<Answer> => {
    asked[what] += 1;
    asked.atOnce += 1;
    asked.mostAtOnce = Math.max(asked.mostAtOnce, asked.atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    asked.atOnce -= 1;
    return answer();
  };
  const stand = () => ({ revision: durable.revision, pending: durable.pending });
  const engine = {
    find: () => count('find', () => ({ state: 'open', memo, stand: stand() })),
    stand: () => count('stand', stand),
    log: () =>
      durable.isMute === true
        ? new Promise(() => undefined)
        : count('log', () => (durable.log === null ? null : { log: durable.log, texts: durable.texts })),
    waitForEnd: forever,
  } as unknown as TurnEngine;
  return { engine, asked };
}

interface Rig {
  readonly feed: TurnFeed;
  readonly lane: LiveLane;
  readonly asked: ReturnType<typeof createEngine>['asked'];
  readonly filled: readonly GapSource[];
}

async function withFeed(
  { turnId, origin, durable }: { turnId: TurnId; origin: FeedOrigin['kind'] & ('open' | 'fresh'); durable: Durable },
  look: (rig: Rig) => Promise<void>,
  limits = patient,
): Promise<void> {
  const { engine, asked } = createEngine(durable);
  const lane = createMemoryLane();
  const filled: GapSource[] = [];
  const feed = createTurnFeed(
    turnId,
    memo,
    origin === 'fresh' ? { kind: 'fresh' } : { kind: 'open', stand: durable },
    {
      ...{ engine, lane, graph: { turn: async () => null } as unknown as GatewayGraph },
      ...{ metrics: { gapFilled: (source) => void filled.push(source) }, log: createLog('fatal', null) },
    },
    limits,
  );
  try {
    await look({ feed, lane, asked, filled });
  } finally {
    feed.close();
    await lane.close();
  }
}

/** Reads until the transcript fits. */
const until = (feed: TurnFeed, fits: (transcript: Transcript) => boolean): Promise<void> =>
  new Promise((resolve) => {
    const end = feed.read({
      changed() {
        if (!fits(feed.transcript)) return;
        end();
        resolve();
      },
      rewind: () => undefined,
    });
  });

const answerOf = ({ streams }: Transcript): string => streams.find(({ channel }) => channel === 'answer')?.text ?? '';

describe('a turn that is opened in the middle of its answer, its lane empty', () => {
  test('is told by one look: its log, and its text from the heartbeat', async () => {
    const { turnId, log, beat } = createTurn();
    const durable: Durable = { log, texts: [], pending: [beat('So it')], revision: 9 };
    await withFeed({ turnId, origin: 'open', durable }, async ({ feed, asked, filled }) => {
      await feed.ready;
      expect(feed.transcript.log).toEqual(log);
      expect(answerOf(feed.transcript)).toBe('So it');
      expect(asked).toMatchObject({ stand: 0, log: 1 });
      expect(filled).toEqual(['log', 'heartbeat']);
    });
  });

  test('asks for the gap before what its lane brings then, until the heartbeat has come so far', async () => {
    const { turnId, log, beat, delta } = createTurn();
    const durable: Durable = { log, texts: [], pending: [beat('So')], revision: 9 };
    await withFeed({ turnId, origin: 'open', durable }, async ({ feed, lane, asked }) => {
      await feed.ready;
      const filled = until(feed, (transcript) => answerOf(transcript) === 'So it is.');
      const looked = asked.stand;
      lane.publish(delta(5, ' is'));
      lane.publish(delta(8, '.'));
      durable.pending = [beat('So it')];
      await filled;
      expect(asked.stand).toBeGreaterThan(looked);
      // The log cannot have changed: no worker was asked for it again.
      expect(asked.log).toBe(1);
    });
  });
});

test('a lane that brings everything is not looked behind, and nothing counts as filled', async () => {
  const { turnId, log, delta } = createTurn();
  const durable: Durable = { log, texts: [], pending: [], revision: 9 };
  await withFeed({ turnId, origin: 'fresh', durable }, async ({ feed, lane, asked, filled }) => {
    const read = until(feed, (transcript) => answerOf(transcript) === 'So it is.');
    for (const event of [...log, delta(0, 'So '), delta(3, 'it '), delta(6, 'is.')]) lane.publish(event);
    await read;
    await feed.refresh();
    expect(asked).toMatchObject({ stand: 0, log: 0 });
    expect(filled).toEqual([]);
  });
});

test('a silent turn is looked at again and again, its log read once as long as nothing has happened', async () => {
  const { turnId, log, beat } = createTurn();
  const durable: Durable = { log, texts: [], pending: [beat('So')], revision: 9 };
  const limits = { quietMs: 5, firstLookMs: 1, maxLookMs: 2 };
  await withFeed(
    { turnId, origin: 'open', durable },
    async ({ feed, asked }) => {
      await until(feed, () => asked.stand >= 5);
      expect(asked.log).toBe(1);
      durable.revision += 1;
      await until(feed, () => asked.log >= 2);
      const { stand } = asked;
      await until(feed, () => asked.stand >= stand + 3);
      expect(asked.log).toBe(2);
    },
    limits,
  );
});

test('the end of reasoning that the lane lost is told before the reply that says how long it is', async () => {
  const { turnId, log, completed, delta } = createTurn();
  const text = { agentId, step: 1, attempt: 1, text: 'So it is.', reasoning: 'I think.!', incomplete: false };
  const durable: Durable = {
    ...{ log: [...log, completed], texts: [{ ...text, sha256: 'a'.repeat(64) }], pending: [], revision: 9 },
  };
  await withFeed({ turnId, origin: 'fresh', durable }, async ({ feed, lane }) => {
    const told: TurnEvent[] = [];
    const reader = createFeedCursor(
      feed,
      { seq: 0, streams: [] },
      {
        ...{ sinceMs: 0, taken: () => undefined },
        changed: () => void told.push(...reader.take(Infinity).events),
      },
    );
    const read = until(feed, (transcript) => transcript.log.length === 4);
    for (const event of [...log, delta(0, 'I thi', 'reasoning'), delta(0, 'So it is.')]) lane.publish(event);
    lane.publish(completed);
    await read;
    reader.close();
    const reasoning = told.flatMap((e) => (e.type === 'delta' && e.channel === 'reasoning' ? [e.text] : []));
    expect(reasoning.join('')).toBe('I think.!');
    expect(told.at(-1)?.type).toBe('agent_completed');
  });
});

describe('a reader who knows more than this gateway', () => {
  const given = () => {
    const turn = createTurn();
    const known = applyEvents(emptyTranscript, [...turn.log, turn.delta(0, 'So it')]);
    return { ...turn, cursor: toCursorFrame(known) };
  };

  test('is told nothing again when the log has come so far', async () => {
    const { turnId, log, delta, cursor } = given();
    const durable: Durable = { log: log.slice(0, 1), texts: [], pending: [], revision: 9 };
    await withFeed({ turnId, origin: 'open', durable }, async ({ feed, lane }) => {
      await feed.ready;
      durable.log = log;
      const from = await toResumePoint(feed, cursor);
      const reader = createFeedCursor(feed, from, {
        ...{ sinceMs: 0, changed: () => undefined, taken: () => undefined },
      });
      lane.publish(delta(0, 'So it is.'));
      expect(reader.take(Infinity).events).toMatchObject([{ type: 'delta', offset: 5, text: ' is.' }]);
      reader.close();
    });
  });

  test('does not wait for a worker when the lane knows as much', async () => {
    const { turnId, log, delta, cursor } = given();
    const durable: Durable = { log, texts: [], pending: [], revision: 9, isMute: true };
    await withFeed({ turnId, origin: 'open', durable }, async ({ feed, lane }) => {
      const resumed = toResumePoint(feed, cursor);
      for (const event of [...log, delta(0, 'So it is.')]) lane.publish(event);
      expect(await resumed).toEqual({ seq: 3, streams: cursor.streams });
      expect(feed.readers).toBe(0);
    });
  });

  test.each([
    ['goes on when the log turns out to be the same', false],
    ['is told the whole when it turns out that the log was corrected', true],
  ])('and whom nobody can tell anything now %s', async (_, isCorrected) => {
    const { turnId, log, delta, cursor } = given();
    const durable: Durable = { log: null, texts: [], pending: [], revision: 9 };
    await withFeed({ turnId, origin: 'open', durable }, async ({ feed, lane }) => {
      const from = await toResumePoint(feed, cursor);
      const reader = createFeedCursor(feed, from, {
        ...{ sinceMs: 0, changed: () => undefined, taken: () => undefined },
      });
      lane.publish(log[0] as SequencedEvent);
      expect(reader.take(Infinity).events.filter(({ type }) => type !== 'waiting')).toEqual([]);
      for (const event of log.slice(1))
        lane.publish(isCorrected ? { ...event, time: '2027-01-01T00:00:00.000Z' } : event);
      lane.publish(delta(0, 'So it is.'));
      const told = reader.take(Infinity).events;
      if (isCorrected) expect(told.map(({ type }) => type)).toEqual([...log.map(({ type }) => type), 'delta']);
      else expect(told).toMatchObject([{ type: 'delta', offset: 5, text: ' is.' }]);
      reader.close();
    });
  });

  test('of what was withdrawn is told the whole', async () => {
    const { turnId, log } = given();
    const durable: Durable = { log: log.slice(0, 2), texts: [], pending: [], revision: 9 };
    await withFeed({ turnId, origin: 'open', durable }, async ({ feed }) => {
      expect(await toResumePoint(feed, { seq: 3, log: logHash(log) })).toEqual({ seq: 0, streams: [] });
    });
  });
});

describe('many readers at once', () => {
  const openAll = async (turnIds: readonly TurnId[]) => {
    const { log, beat } = createTurn();
    const { engine, asked } = createEngine({ log, texts: [], pending: [beat('So')], revision: 9 });
    const lane = createMemoryLane();
    const feeds = createTurnFeeds({
      ...{ engine, lane, graph: { turn: async () => null } as unknown as GatewayGraph },
      ...{ metrics: { gapFilled: () => undefined }, log: createLog('fatal', null) },
    });
    const opened = await Promise.all(turnIds.map((turnId) => feeds.open(turnId, memo.userId)));
    await Promise.all(opened.map(({ ready }) => ready));
    feeds.close();
    await lane.close();
    return asked;
  };

  test('of one turn cost one look', async () => {
    const turnId = randomUUID() as TurnId;
    expect(await openAll(Array<TurnId>(1_000).fill(turnId))).toMatchObject({ find: 1, stand: 0, log: 1 });
  });

  test('of 1,000 turns do not reach the engine as one wave', async () => {
    const asked = await openAll(Array.from({ length: 1_000 }, () => randomUUID() as TurnId));
    expect(asked).toMatchObject({ find: 1_000, stand: 0, log: 1_000 });
    expect(asked.mostAtOnce).toBeLessThanOrEqual(48);
  });
});
