// A reader of an open turn is never left without a word: in every phase, whatever is away, it is told what is waited for,
// again and again, until the turn goes on. The parts are fakes at our own ports, so that each phase stays as long as it
// is looked at.

import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createTurnFeed, type TurnFeed } from '../../src/api/turn-feed.ts';
import { createMemoryLane } from '../../src/live/memory.ts';
import { CandorError, toErrorInfo } from '../../src/protocol/errors.ts';
import type { SequencedEvent, Waiting } from '../../src/protocol/events.ts';
import type { AgentId, ConversationId, TurnId, UserId } from '../../src/protocol/ids.ts';
import type { EngineEnd, GatewayGraph, PendingStep, TurnEngine } from '../../src/protocol/ports.ts';
import { terminalOf } from '../../src/protocol/transcript.ts';
import { createLog } from '../../src/run/log.ts';

const limits = { quietMs: 20, firstLookMs: 2, maxLookMs: 5 };
const turnId = randomUUID() as TurnId;
const conversationId = randomUUID() as ConversationId;
const agentId = 'operator' as AgentId;
const time = '2026-01-02T03:04:05.000Z';
const retryAt = '2026-01-02T03:05:00.000Z';

type Draft<Event> = Event extends SequencedEvent ? Omit<Event, 'seq' | 'time' | 'turnId' | 'conversationId'> : never;
const logOf = (...drafts: readonly Draft<SequencedEvent>[]): SequencedEvent[] =>
  drafts.map((draft, index) => ({ ...draft, seq: index + 1, time, turnId, conversationId }));

const accepted = { type: 'turn_accepted', agentId, text: 'How?' } as const;
const started = { type: 'agent_started', agentId, model: 'm', context: [] } as const;
const thinking = { type: 'agent_thinking', agentId, step: 1, attempt: 1, maxAttempts: 4, model: 'm' } as const;
const failed = {
  type: 'attempt_failed',
  ...{ agentId, step: 1, attempt: 1, maxAttempts: 4, retryAt, discardedChars: 0 },
  error: toErrorInfo('llm_timeout', { facts: { model: 'm', backend: 'b', what: 'no answer', seconds: 1 } }),
} as const;
const completed = {
  type: 'agent_completed',
  ...{ agentId, step: 1, attempt: 1, text: 'So.', finishReason: 'stop', incomplete: false },
  ...{ citations: [], unsupported: [], sha256: 'a'.repeat(64) },
  usage: { promptTokens: null, completionTokens: null, totalTokens: null },
} as const;

const graphAway: PendingStep = { errorCode: 'graph_unavailable', nextTryAt: retryAt, heartbeat: null };
const streaming: PendingStep = {
  errorCode: null,
  nextTryAt: null,
  heartbeat: { step: 1, attempt: 1, after: 3, answer: 'So', reasoning: '', loading: false },
};
const loading: PendingStep = {
  ...streaming,
  heartbeat: { step: 1, attempt: 1, after: 3, answer: '', reasoning: '', loading: true },
};
const away = async (): Promise<never> => {
  throw new CandorError('engine_unavailable');
};

interface Durable {
  log: TurnEngine['log'];
  pending: PendingStep | null;
  waitForEnd: TurnEngine['waitForEnd'];
}

const noMetrics = { gapFilled: () => undefined };

const forever = () => new Promise<EngineEnd | null>(() => undefined);

async function follow<Result>(durable: Durable, look: (feed: TurnFeed) => Promise<Result>): Promise<Result> {
  let revision = 0;
  const engine = {
    log: (...call: Parameters<TurnEngine['log']>) => durable.log(...call),
    stand: async () => ({ revision: ++revision, pending: durable.pending === null ? [] : [durable.pending] }),
    waitForEnd: (...call: Parameters<TurnEngine['waitForEnd']>) => durable.waitForEnd(...call),
  } as unknown as TurnEngine;
  const graph = { turn: async () => null } as unknown as GatewayGraph;
  const lane = createMemoryLane();
  const memo = { conversationId, userId: 'ada' as UserId, agentId, contentSha256: 'c'.repeat(64) };
  const dependencies = { engine, graph, lane, metrics: noMetrics, log: createLog('fatal', null) };
  const feed = createTurnFeed(turnId, memo, { kind: 'open', stand: null }, dependencies, limits);
  try {
    return await look(feed);
  } finally {
    feed.close();
    await lane.close();
  }
}

/** Resolves with so many of the words that fit, each a new one. */
function words(feed: TurnFeed, count: number, fits: (waiting: Waiting) => boolean): Promise<readonly Waiting[]> {
  const told: Waiting[] = [];
  return new Promise((resolve) => {
    const end = feed.read({
      changed() {
        const { waiting } = feed.transcript;
        if (waiting === null || waiting === told.at(-1) || !fits(waiting)) return;
        told.push(waiting);
        if (told.length < count) return;
        end();
        resolve(told);
      },
      rewind: () => undefined,
    });
  });
}

const log = (...drafts: readonly Draft<SequencedEvent>[]) => ({
  log: async () => ({ log: logOf(...drafts), texts: [] }),
});

describe('A17: a turn without news', () => {
  test.each<[string, Pick<Durable, 'log'>, PendingStep | null, Partial<Waiting>]>([
    ['in the queue', log(accepted, { type: 'turn_queued', behind: turnId }), null, { reason: 'queue' }],
    [
      'retrieving, the graph away',
      log(accepted),
      graphAway,
      { reason: 'graph', until: retryAt, error: toErrorInfo('graph_unavailable') },
    ],
    ['before the first token', log(accepted, started, thinking), null, { reason: 'model' }],
    ['between tokens', log(accepted, started, thinking), streaming, { reason: 'model' }],
    ['while the model loads', log(accepted, started, thinking), loading, { reason: 'model_loading' }],
    ['backing off', log(accepted, started, thinking, failed), null, { reason: 'retry', until: retryAt }],
    [
      'storing, the graph away',
      log(accepted, started, thinking, completed),
      graphAway,
      { reason: 'graph', until: retryAt, error: toErrorInfo('graph_unavailable') },
    ],
    ['without a worker', { log: async () => null }, null, { reason: 'worker' }],
    ['without the engine', { log: away }, null, { reason: 'engine', error: toErrorInfo('engine_unavailable') }],
  ])('%s says so, again and again', async (_phase, { log: read }, pending, expected) => {
    const told = await follow({ log: read, pending, waitForEnd: forever }, (feed) =>
      words(feed, 3, ({ reason, until }) => reason === expected.reason && until === expected.until),
    );
    for (const waiting of told) expect(waiting).toMatchObject(expected);
    expect(new Set(told.map(({ since }) => since)).size).toBe(1);
  });

  test('takes back that a part is away when it is there again', async () => {
    const durable: Durable = { log: away, pending: null, waitForEnd: forever };
    await follow(durable, async (feed) => {
      await words(feed, 1, ({ reason }) => reason === 'engine');
      durable.log = async () => null;
      await words(feed, 1, ({ reason }) => reason === 'worker');
      durable.log = log(accepted, started, thinking).log;
      const [told] = await words(feed, 1, ({ reason }) => reason === 'model');
      expect(told?.error).toBeUndefined();
    });
  });
});

test('an engine that is away and then a bug of ours delay the end of a turn, and do not lose it', async () => {
  const ended = logOf(accepted, { type: 'agent_failed', agentId, discardedChars: 0, error: failed.error });
  const last = {
    type: 'turn_failed',
    seq: 3,
    time,
    turnId,
    conversationId,
    error: failed.error,
    receipt: null,
  } as const;
  const ends: (() => Promise<EngineEnd | null>)[] = [
    away,
    () => Promise.reject(new TypeError('a bug')),
    async () => ({ state: 'closed', result: { outcome: 'failed', log: [...ended, last] as never } }),
  ];
  const durable: Durable = { log: away, pending: null, waitForEnd: () => (ends.shift() ?? forever)() };
  const transcript = await follow(durable, (feed) => feed.ended);
  expect(terminalOf(transcript)).toEqual(last);
});
