// One turn as the gateway knows it: a transcript that grows from two sides, and readers that each have a cursor. The
// live lane is quick and may be wrong; the workflow's log and its end are slow and right. Whatever a reader was shown is
// corrected by the second, and only the second ends a turn.

import { CandorError, toErrorInfo } from '../protocol/errors.ts';
import {
  isSequenced,
  isTerminal,
  type SequencedEvent,
  type TurnEvent,
  type Waiting,
  type WaitingReason,
} from '../protocol/events.ts';
import type { TurnId } from '../protocol/ids.ts';
import type { EngineEnd, LiveLane, ReadGraph, StoredTurn, TurnEngine } from '../protocol/ports.ts';
import {
  applyEvent,
  applyEvents,
  emptyTranscript,
  hasGap,
  sameEvent,
  terminalOf,
  type Transcript,
} from '../protocol/transcript.ts';
import type { TurnMemo, TurnResult } from '../protocol/turn.ts';
import {
  needsTexts,
  textsOf,
  toAccepted,
  toFinalTranscript,
  toStoredTranscript,
  toTextDeltas,
} from './final-transcript.ts';
import type { GatewayLog } from './gateway-log.ts';

export interface TurnFeedDependencies {
  readonly lane: LiveLane;
  readonly engine: TurnEngine;
  readonly graph: ReadGraph;
  readonly log: GatewayLog;
}

/** Somebody who follows the turn. The feed says that something changed; the reader asks for what it lacks. */
export interface FeedReader {
  changed(): void;
  /** What was sent after `seq` is no longer true; it comes again in another form. */
  rewind(seq: number): void;
}

export interface TurnFeed {
  readonly turnId: TurnId;
  readonly memo: TurnMemo;
  readonly transcript: Transcript;
  /** Returns the end of the reading. */
  read(reader: FeedReader): () => void;
  /** Resolves when what is known elsewhere was looked up once, whatever came of it. */
  readonly ready: Promise<void>;
  /** Resolves with the transcript that holds the terminal event. */
  readonly ended: Promise<Transcript>;
  readonly readers: number;
  close(): void;
}

/** After so long without an event the reader is told what everybody waits for. */
const quietMs = 10_000;
/** First look at the durable side when the lane is silent; doubled each time it has nothing new. */
const firstLookMs = 750;
const maxLookMs = 4_000;
const queryTimeoutMs = 2_000;

/** Where a feed begins: a turn just started here, one found open, or one that has ended. */
export type FeedOrigin =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'open' }
  | { readonly kind: 'ended'; readonly end: EngineEnd }
  | { readonly kind: 'stored'; readonly turn: StoredTurn };

export function createTurnFeed(
  turnId: TurnId,
  memo: TurnMemo,
  origin: FeedOrigin,
  dependencies: TurnFeedDependencies,
): TurnFeed {
  const { lane, engine, graph, log } = dependencies;
  const readers = new Set<FeedReader>();
  const closing = new AbortController();
  let transcript: Transcript = emptyTranscript;
  let confirmed = 0;
  let lastEventMs = Date.now();
  let lookMs = firstLookMs;
  let lookTimer: NodeJS.Timeout | undefined;
  let looking = false;
  let resolveEnded: (transcript: Transcript) => void = () => undefined;
  const ended = new Promise<Transcript>((resolve) => (resolveEnded = resolve));

  /** Nobody awaits these: a bug in one must not take the process and every other turn with it. */
  const run = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => log.error({ turnId, error }, 'a bug in a turn’s feed'));

  const set = (next: Transcript): void => {
    if (next === transcript) return;
    const divergence = firstDifference(transcript.log, next.log);
    transcript = next;
    if (divergence !== null) for (const reader of [...readers]) reader.rewind(divergence);
    for (const reader of [...readers]) reader.changed();
  };

  const onLive = (event: TurnEvent): void => {
    if (isSequenced(event) && (isTerminal(event) || event.seq <= confirmed)) return;
    if (event.type !== 'waiting') {
      lastEventMs = Date.now();
      lookMs = firstLookMs;
    }
    set(applyEvent(transcript, event));
    if (hasGap(transcript)) void run(look());
  };

  /** Reads the workflow's log, and the running call's heartbeat when its text does not arrive by the lane. */
  const look = async (): Promise<void> => {
    if (looking || closing.signal.aborted || terminalOf(transcript) !== null) return;
    looking = true;
    try {
      const before = transcript;
      const durable = await engine.log(turnId, queryTimeoutMs);
      if (durable === null) return wait('worker');
      if (durable.log.length >= confirmed) {
        confirmed = durable.log.length;
        set(applyEvents(transcript, durable.log));
      }
      if (transcript.log.at(-1)?.type === 'agent_thinking' && transcript.streams.length === before.streams.length) {
        set(applyEvents(transcript, await heartbeatDeltas(engine, transcript, turnId)));
      }
      if (transcript.log !== before.log || transcript.streams !== before.streams) {
        lastEventMs = Date.now();
        lookMs = firstLookMs;
      }
    } catch (error) {
      if (!(error instanceof CandorError)) throw error;
      log.warn({ turnId, code: error.code }, 'unable to read the log of a turn');
      wait('engine');
    } finally {
      looking = false;
    }
  };

  const schedule = (): void => {
    if (closing.signal.aborted || terminalOf(transcript) !== null) return;
    lookTimer = setTimeout(() => {
      const silentMs = Date.now() - lastEventMs;
      if (silentMs >= quietMs) wait(transcript.waiting?.reason ?? reasonOf(transcript));
      void run((silentMs >= firstLookMs ? look() : Promise.resolve()).finally(schedule));
      lookMs = Math.min(lookMs * 2, maxLookMs);
    }, lookMs).unref();
  };

  const wait = (reason: WaitingReason): void => {
    const last = transcript.log.at(-1);
    if (terminalOf(transcript) !== null) return;
    const told = transcript.waiting;
    if (told?.reason === reason && Date.now() - Date.parse(told.time) < quietMs) return;
    const until = last?.type === 'attempt_failed' ? last.retryAt : undefined;
    const waiting: Waiting = {
      type: 'waiting',
      turnId,
      conversationId: memo.conversationId,
      time: new Date().toISOString(),
      reason,
      since: new Date(lastEventMs).toISOString(),
      ...(until === undefined ? {} : { until }),
    };
    set(applyEvent(transcript, waiting));
  };

  /** Follows the workflow to its end, through outages of the engine. */
  const follow = async (): Promise<void> => {
    for (let backoffMs = 500; !closing.signal.aborted; backoffMs = Math.min(backoffMs * 2, 10_000)) {
      try {
        const end = await engine.waitForEnd(turnId, closing.signal);
        if (end !== null) return await finish(end);
        const stored = await graph.turn(turnId);
        if (stored?.result != null) return await finish({ state: 'closed', result: stored.result });
        return await finish({ state: 'broken', reason: 'its history is gone', closedAt: new Date().toISOString() });
      } catch (error) {
        if (closing.signal.aborted) return;
        if (!(error instanceof CandorError)) throw error;
        log.warn({ turnId, code: error.code }, 'unable to follow a turn to its end; trying again');
        wait(error.code === 'graph_unavailable' ? 'graph' : 'engine');
        await new Promise((resolve) => setTimeout(resolve, backoffMs).unref());
      }
    }
  };

  const finish = async (end: EngineEnd): Promise<void> => {
    const final = end.state === 'closed' ? await toFinal(end.result) : await toBroken(end);
    set({ ...final, audit: transcript.audit });
    clearTimeout(lookTimer);
    resolveEnded(transcript);
  };

  /** The log as it ended, with its texts: those already here when their hashes agree, else those of the graph. */
  const toFinal = async (result: TurnResult): Promise<Transcript> => {
    const here = textsOf(transcript);
    const texts = needsTexts(result, here) ? ((await graph.turn(turnId))?.steps ?? here) : here;
    return toFinalTranscript(result, texts);
  };

  /** Closed from outside: the log up to there, and a terminal event of the gateway's own. */
  const toBroken = async ({ reason, closedAt }: Extract<EngineEnd, { state: 'broken' }>): Promise<Transcript> => {
    const { conversationId } = memo;
    const stored = transcript.log.length === 0 ? await graph.turn(turnId) : null;
    const known = stored === null ? transcript : applyEvent(transcript, toAccepted(stored));
    const error = toErrorInfo('internal', { facts: { reason } });
    const seq = known.log.length + 1;
    return applyEvent(
      { ...known, ahead: [] },
      { type: 'turn_failed', turnId, conversationId, time: closedAt, seq, error, receipt: null },
    );
  };

  const unsubscribe = lane.subscribe(turnId, onLive);
  let ready: Promise<void> = Promise.resolve();
  switch (origin.kind) {
    case 'stored':
      transcript = toStoredTranscript(origin.turn);
      resolveEnded(transcript);
      break;
    case 'ended':
      ready = run(finishWithPatience(origin.end));
      break;
    case 'open':
      ready = run(look());
      schedule();
      void run(follow());
      break;
    case 'fresh':
      schedule();
      void run(follow());
  }

  /** The graph may be away when a turn's texts are wanted: its reader waits and is told so. */
  async function finishWithPatience(end: EngineEnd): Promise<void> {
    for (let backoffMs = 500; !closing.signal.aborted; backoffMs = Math.min(backoffMs * 2, 10_000)) {
      try {
        return await finish(end);
      } catch (error) {
        if (!(error instanceof CandorError)) throw error;
        wait('graph');
        await new Promise((resolve) => setTimeout(resolve, backoffMs).unref());
      }
    }
  }

  return {
    turnId,
    memo,
    get transcript() {
      return transcript;
    },
    ready,
    ended,
    get readers() {
      return readers.size;
    },
    read(reader) {
      readers.add(reader);
      return () => void readers.delete(reader);
    },
    close() {
      closing.abort();
      clearTimeout(lookTimer);
      unsubscribe();
    },
  };
}

function reasonOf(transcript: Transcript): WaitingReason {
  switch (transcript.log.at(-1)?.type) {
    case 'turn_queued':
      return 'queue';
    case 'agent_thinking':
      return 'model';
    case 'attempt_failed':
      return 'retry';
    case undefined:
      return 'worker';
    default:
      return 'graph';
  }
}

/** Index of the last event that both logs share, when what follows it in the old one is no longer true. */
function firstDifference(before: readonly SequencedEvent[], after: readonly SequencedEvent[]): number | null {
  for (const [index, event] of before.entries()) {
    const now = after[index];
    if (now === event) continue;
    if (now === undefined || !sameEvent(now, event)) return index;
  }
  return null;
}

/** What the running call heartbeats, as deltas: its text does not arrive by the lane. */
async function heartbeatDeltas(
  engine: TurnEngine,
  transcript: Transcript,
  turnId: TurnId,
): Promise<readonly TurnEvent[]> {
  const beat = await engine.heartbeat(turnId);
  const thinking = transcript.log.at(-1);
  if (beat === null || thinking?.type !== 'agent_thinking') return [];
  return beat.step === thinking.step && beat.attempt === thinking.attempt ? toTextDeltas(thinking, beat) : [];
}
