// One turn as the gateway knows it: a transcript that grows from two sides, and readers that each have a cursor. The
// live lane is quick and may be wrong; the workflow's log and its end are slow and right. Whatever a reader was shown is
// corrected by the second, and only the second ends a turn. Looking (feed-look.ts), following (feed-end.ts) and what
// readers are told meanwhile (feed-quiet.ts) are put together here.

import { isSequenced, isTerminal, type TurnEvent } from '../protocol/events.ts';
import type { TurnId } from '../protocol/ids.ts';
import type { EngineEnd, GatewayGraph, LiveLane, StoredTurn, TurnEngine, TurnStand } from '../protocol/ports.ts';
import { applyEvent, type Transcript } from '../protocol/transcript.ts';
import type { TurnMemo } from '../protocol/turn.ts';
import type { DeliveryMetrics } from './delivery-metrics.ts';
import { followToEnd } from './feed-end.ts';
import { createFeedLook } from './feed-look.ts';
import { createFeedQuiet } from './feed-quiet.ts';
import { createFeedState, type FeedReader } from './feed-state.ts';
import { lacksReasoning, toStoredTranscript } from './final-transcript.ts';
import type { GatewayLog } from './gateway-log.ts';
import { pause } from './pause.ts';
import { createSharedSlices, type SharedSlices } from './shared-slices.ts';
import { awaitsVerdict, createVerdictLook } from './verdict-look.ts';

export interface TurnFeedDependencies {
  readonly lane: LiveLane;
  readonly engine: TurnEngine;
  readonly graph: GatewayGraph;
  readonly metrics: Pick<DeliveryMetrics, 'gapFilled'>;
  readonly log: GatewayLog;
}

export interface TurnFeed {
  readonly turnId: TurnId;
  readonly memo: TurnMemo;
  readonly transcript: Transcript;
  /** What its readers are sent. */
  readonly slices: SharedSlices;
  /** Returns the end of the reading. */
  read(reader: FeedReader): () => void;
  /** Resolves when what is known elsewhere was looked up once, whatever came of it. */
  readonly ready: Promise<void>;
  /** Resolves when what is known here was known elsewhere a moment ago, or soon all the same. */
  refresh(): Promise<void>;
  /**
   * Asks the workflow when its log is longer than what is known here. False: it is not so long; who has so much of it was
   * shown what has been corrected since. True also when nobody answers.
   */
  reaches(seq: number): Promise<boolean>;
  /** Resolves with the transcript that holds the terminal event. */
  readonly ended: Promise<Transcript>;
  readonly readers: number;
  close(): void;
}

export interface TurnFeedLimits {
  /** Milliseconds without an event after which readers are told what everybody waits for, again and again. */
  readonly quietMs: number;
  /** First look at the durable side when the lane is silent; doubled each time it has nothing new. */
  readonly firstLookMs: number;
  readonly maxLookMs: number;
}

export const defaultFeedLimits: TurnFeedLimits = { quietMs: 10_000, firstLookMs: 750, maxLookMs: 4_000 };

/** A closed turn is there at once, or its texts are waited for and a reader should not be. */
const endedPatienceMs = 3_000;

/** An engine that does not answer must not keep a reader from what is known here. */
const refreshPatienceMs = 1_000;

/** Where a feed begins: a turn just started here, one found open, or one that has ended. */
export type FeedOrigin =
  | { readonly kind: 'fresh' }
  /** `stand`: as the engine has just told it; `null`: only the graph knows the turn. */
  | { readonly kind: 'open'; readonly stand: TurnStand | null }
  | { readonly kind: 'ended'; readonly end: EngineEnd }
  | { readonly kind: 'stored'; readonly turn: StoredTurn };

export function createTurnFeed(
  turnId: TurnId,
  memo: TurnMemo,
  origin: FeedOrigin,
  { lane, engine, graph, metrics, log }: TurnFeedDependencies,
  { quietMs, firstLookMs, maxLookMs }: TurnFeedLimits = defaultFeedLimits,
): TurnFeed {
  const state = createFeedState(turnId, memo, () => {
    quiet.changed();
    lookForVerdict();
    for (const changed of [...hearing]) changed();
  });
  /** Who waits for more of the log, and is no reader. */
  const hearing = new Set<() => void>();
  const slices = createSharedSlices();
  const quiet = createFeedQuiet(state, quietMs);
  const look = createFeedLook({ state, quiet, engine, metrics, log, firstLookMs, maxLookMs });
  let resolveEnded: (transcript: Transcript) => void = () => undefined;
  const ended = new Promise<Transcript>((resolve) => (resolveEnded = resolve));

  const onLive = (event: TurnEvent): void => {
    if (isSequenced(event) && (isTerminal(event) || event.seq <= look.confirmed)) return;
    // The end has come with its texts: a late piece would show more than was stored.
    if (event.type === 'delta' && state.isOver) return;
    // Its reasoning ends here, and a part of it was lost on the way: the log has both.
    if (event.type === 'agent_completed' && lacksReasoning(state.transcript, event)) return look.laneLacks();
    if (event.type !== 'waiting') quiet.progressed();
    if (event.type === 'delta') slices.note(state.transcript, event);
    state.set(applyEvent(state.transcript, event), event.type === 'delta' ? Date.parse(event.time) : null);
    if (event.type !== 'waiting') look.laneBrought();
  };

  /** Nobody awaits it: a bug must not take the process and every other turn with it. */
  const follow = async (found: EngineEnd | null): Promise<void> => {
    try {
      const final = await followToEnd({ state, quiet, engine, graph, metrics, log }, found);
      if (final === null) return;
      state.set(final);
      look.end();
      quiet.end();
      resolveEnded(final);
    } catch (error) {
      log.error({ turnId, error }, 'a bug in a turn’s feed');
    }
  };

  const verdict = createVerdictLook({
    ...{ graph, log, turnId },
    found: (audit) => state.set(applyEvent(state.transcript, audit)),
  });
  /** The verdict comes by the lane, or it is found in the graph as long as somebody waits for it here. */
  const lookForVerdict = (): void => {
    if (state.readers.size > 0 && awaitsVerdict(state.transcript)) verdict.begin();
    else verdict.end();
  };

  const isKnown = (seq: number): boolean => seq <= state.transcript.log.length;
  /** Resolves when the log has come so far, wherever from, or has ended; never, when it does not. */
  const hearUpTo = (seq: number): { readonly known: Promise<number>; readonly end: () => void } => {
    let changed = (): void => undefined;
    const known = new Promise<number>((resolve) => {
      changed = () => {
        if (isKnown(seq) || state.isOver) resolve(state.transcript.log.length);
      };
    });
    hearing.add(changed);
    changed();
    return { known, end: () => void hearing.delete(changed) };
  };

  const canLook = origin.kind === 'open' || origin.kind === 'fresh';
  const unsubscribe = lane.subscribe(turnId, onLive);
  let ready: Promise<void> = Promise.resolve();
  switch (origin.kind) {
    case 'stored': {
      const stored = { ...toStoredTranscript(origin.turn), audit: state.transcript.audit };
      metrics.gapFilled('graph');
      state.set(stored);
      resolveEnded(stored);
      break;
    }
    case 'ended':
      // The graph may be away when a turn's texts are wanted: its reader waits, and is told so.
      ready = Promise.race([follow(origin.end), pause(endedPatienceMs, state.signal)]);
      break;
    case 'open':
      ready = look.now(origin.stand ?? undefined);
      void follow(null);
      break;
    case 'fresh':
      void follow(null);
  }
  quiet.changed();

  return {
    turnId,
    memo,
    get transcript() {
      return state.transcript;
    },
    slices,
    ready,
    refresh: () => Promise.race([ready.then(() => look.ifStale()), pause(refreshPatienceMs, state.signal)]),
    async reaches(seq) {
      // The lane may know it long before a worker has answered.
      const { known, end } = hearUpTo(seq);
      try {
        await Promise.race([known, ready]);
        if (isKnown(seq)) return true;
        if (state.isOver) return false;
        const length = await Promise.race([known, look.logLength()]);
        return length === null || isKnown(seq) || seq <= length;
      } finally {
        end();
      }
    },
    ended,
    get readers() {
      return state.readers.size;
    },
    read(reader) {
      state.readers.add(reader);
      if (canLook && state.readers.size === 1) look.begin();
      lookForVerdict();
      return () => {
        state.readers.delete(reader);
        if (state.readers.size === 0) look.end();
        lookForVerdict();
      };
    },
    close() {
      state.close();
      look.end();
      quiet.end();
      verdict.end();
      unsubscribe();
    },
  };
}
