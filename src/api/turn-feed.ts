// One turn as the gateway knows it: a transcript that grows from two sides, and readers that each have a cursor. The
// live lane is quick and may be wrong; the workflow's log and its end are slow and right. Whatever a reader was shown is
// corrected by the second, and only the second ends a turn.

import { CandorError } from '../protocol/errors.ts';
import { isSequenced, isTerminal, type SequencedEvent, type TurnEvent, type Waiting } from '../protocol/events.ts';
import type { TurnId } from '../protocol/ids.ts';
import type { EngineEnd, GatewayGraph, LiveLane, PendingStep, StoredTurn, TurnEngine } from '../protocol/ports.ts';
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
import { needsTexts, textsOf, toFinalTranscript, toStoredTranscript, toTextDeltas } from './final-transcript.ts';
import { awayPart, engineIsAway, graphIsAway, reasonOf, type Away } from './feed-waiting.ts';
import type { GatewayLog } from './gateway-log.ts';
import { pause } from './pause.ts';
import { createOutsideEnds } from './outside-ends.ts';
import { awaitsVerdict, createVerdictLook } from './verdict-look.ts';

export interface TurnFeedDependencies {
  readonly lane: LiveLane;
  readonly engine: TurnEngine;
  readonly graph: GatewayGraph;
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

export interface TurnFeedLimits {
  /** Milliseconds without an event after which readers are told what everybody waits for, again and again. */
  readonly quietMs: number;
  /** First look at the durable side when the lane is silent; doubled each time it has nothing new. */
  readonly firstLookMs: number;
  readonly maxLookMs: number;
}

export const defaultFeedLimits: TurnFeedLimits = { quietMs: 10_000, firstLookMs: 750, maxLookMs: 4_000 };

const queryTimeoutMs = 2_000;
const backoff = { firstMs: 500, maxMs: 10_000 } as const;
/** An engine that has just come up is asked twice before a turn counts as gone. */
const goneCheckMs = 2_000;
/** A closed turn is there at once, or its texts are waited for and a reader should not be. */
const endedPatienceMs = 3_000;

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
  { quietMs, firstLookMs, maxLookMs }: TurnFeedLimits = defaultFeedLimits,
): TurnFeed {
  const { lane, engine, graph, log } = dependencies;
  const outsideEnds = createOutsideEnds({ engine, graph });
  const readers = new Set<FeedReader>();
  const closing = new AbortController();
  let transcript: Transcript = emptyTranscript;
  let confirmed = 0;
  let away: Away | null = null;
  let lastEventMs = Date.now();
  let lookMs = firstLookMs;
  let lookTimer: NodeJS.Timeout | undefined;
  let quietTimer: NodeJS.Timeout | undefined;
  let looking = false;
  let resolveEnded: (transcript: Transcript) => void = () => undefined;
  const ended = new Promise<Transcript>((resolve) => (resolveEnded = resolve));

  /** Nobody awaits these: a bug in one must not take the process and every other turn with it. */
  const run = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => log.error({ turnId, error }, 'a bug in a turn’s feed'));

  const isOver = (): boolean => closing.signal.aborted || terminalOf(transcript) !== null;

  const set = (next: Transcript): void => {
    if (next === transcript) return;
    const divergence = firstDifference(transcript.log, next.log);
    transcript = next;
    if (divergence !== null) for (const reader of [...readers]) reader.rewind(divergence);
    for (const reader of [...readers]) reader.changed();
    beQuiet();
    lookForVerdict();
  };

  /** From each change on: a reader never waits longer than this for a word. */
  const beQuiet = (): void => {
    clearTimeout(quietTimer);
    if (isOver()) return;
    quietTimer = setTimeout(() => {
      tell(away ?? { reason: transcript.waiting?.reason ?? reasonOf(transcript) });
    }, quietMs).unref();
  };

  const progressed = (): void => {
    away = null;
    lastEventMs = Date.now();
    lookMs = firstLookMs;
  };

  const onLive = (event: TurnEvent): void => {
    if (isSequenced(event) && (isTerminal(event) || event.seq <= confirmed)) return;
    // The end has come with its texts: a late piece would show more than was stored.
    if (event.type === 'delta' && isOver()) return;
    if (event.type !== 'waiting') progressed();
    set(applyEvent(transcript, event));
    if (hasGap(transcript)) void run(look());
  };

  /**
   * Reads the workflow's log, and what the turn is at when the log has nothing new: the text of a call that does not
   * arrive by the lane, or a step whose part is away.
   */
  const look = async (): Promise<void> => {
    if (looking || isOver()) return;
    looking = true;
    try {
      const before = transcript;
      const durable = await engine.log(turnId, queryTimeoutMs);
      if (durable === null) return wait({ reason: 'worker' });
      // A workflow that is about to close has its end in its log already; the outcome brings it, with the texts.
      const open = durable.log.filter((event) => !isTerminal(event));
      if (open.length >= confirmed) {
        confirmed = open.length;
        set(applyEvents(transcript, open));
      }
      if (transcript.log === before.log && transcript.streams === before.streams) {
        const pending = await engine.pending(turnId);
        set(applyEvents(transcript, heartbeatDeltas(transcript, pending)));
        if (transcript.streams === before.streams) return wait(awayPart(pending));
      }
      progressed();
    } catch (error) {
      if (!(error instanceof CandorError)) throw error;
      log.warn({ turnId, code: error.code }, 'unable to read the log of a turn');
      wait(engineIsAway);
    } finally {
      looking = false;
    }
  };

  const schedule = (): void => {
    if (isOver()) return;
    lookTimer = setTimeout(() => {
      const isSilent = Date.now() - lastEventMs >= firstLookMs;
      void run((isSilent ? look() : Promise.resolve()).finally(schedule));
      lookMs = Math.min(lookMs * 2, maxLookMs);
    }, lookMs).unref();
  };

  /** What is away, as a look has found it. Told once, repeated by the quiet timer, taken back when it is there again. */
  const wait = (found: Away | null): void => {
    const before = away;
    away = found;
    const told = transcript.waiting;
    if (found === null) {
      if (before !== null && told?.reason === before.reason) tell({ reason: reasonOf(transcript) });
    } else if (told?.reason !== found.reason || told.error?.code !== found.error?.code) tell(found);
  };

  const tell = ({ reason, error, until }: Away): void => {
    if (isOver()) return;
    const last = transcript.log.at(-1);
    const due = last?.type === 'attempt_failed' ? last.retryAt : until;
    const waiting: Waiting = {
      type: 'waiting',
      turnId,
      conversationId: memo.conversationId,
      time: new Date().toISOString(),
      reason,
      since: new Date(lastEventMs).toISOString(),
      ...(due === undefined ? {} : { until: due }),
      ...(error === undefined ? {} : { error }),
    };
    set(applyEvent(transcript, waiting));
  };

  /** Follows the workflow to its end, through outages of the engine and of the graph. */
  const follow = async (found: EngineEnd | null): Promise<void> => {
    let isMissing = false;
    for (let backoffMs: number = backoff.firstMs; !isOver(); backoffMs = Math.min(backoffMs * 2, backoff.maxMs)) {
      try {
        const end = found ?? (await engine.waitForEnd(turnId, closing.signal));
        if (end !== null) return await finish(end);
        const stored = await graph.turn(turnId);
        if (stored?.result != null) return await finish({ state: 'closed', result: stored.result });
        if (isMissing) return await finish({ state: 'broken', cause: 'gone', closedAt: new Date().toISOString() });
        isMissing = true;
        await pause(goneCheckMs, closing.signal);
      } catch (error) {
        if (closing.signal.aborted) return;
        isMissing = false;
        if (error instanceof CandorError) {
          log.warn({ turnId, code: error.code }, 'unable to follow a turn to its end; trying again');
          wait(error.code === 'graph_unavailable' ? graphIsAway : engineIsAway);
        } else {
          // A reader must not be left alone by a bug of ours either.
          log.error({ turnId, error }, 'a bug while a turn was followed to its end; trying again');
        }
        await pause(backoffMs, closing.signal);
      }
    }
  };

  const finish = async (end: EngineEnd): Promise<void> => {
    const final = end.state === 'closed' ? await toFinal(end.result) : await toSettled(end);
    if (closing.signal.aborted) return;
    set({ ...final, audit: transcript.audit });
    clearTimeout(lookTimer);
    clearTimeout(quietTimer);
    resolveEnded(transcript);
  };

  /** The log as it ended, with its texts: those already here when their hashes agree, else those of the graph. */
  const toFinal = async (result: TurnResult): Promise<Transcript> => {
    const here = textsOf(transcript);
    const texts = needsTexts(result, here) ? ((await graph.turn(turnId))?.steps ?? here) : here;
    return toFinalTranscript(result, texts);
  };

  const toSettled = async (end: Extract<EngineEnd, { state: 'broken' }>): Promise<Transcript> => {
    const { result, steps } = await outsideEnds.settle(turnId, memo, transcript, end);
    return toFinalTranscript(result, steps);
  };

  const verdict = createVerdictLook({ graph, log, turnId, found: (audit) => set(applyEvent(transcript, audit)) });
  /** The verdict comes by the lane, or it is found in the graph as long as somebody waits for it here. */
  const lookForVerdict = (): void => {
    if (readers.size > 0 && awaitsVerdict(transcript)) verdict.begin();
    else verdict.end();
  };

  const unsubscribe = lane.subscribe(turnId, onLive);
  let ready: Promise<void> = Promise.resolve();
  switch (origin.kind) {
    case 'stored':
      transcript = { ...toStoredTranscript(origin.turn), audit: transcript.audit };
      resolveEnded(transcript);
      break;
    case 'ended': {
      const end = run(follow(origin.end));
      // The graph may be away when a turn's texts are wanted: its reader waits, and is told so.
      ready = Promise.race([end, pause(endedPatienceMs, closing.signal)]);
      break;
    }
    case 'open':
      ready = run(look());
      schedule();
      void run(follow(null));
      break;
    case 'fresh':
      schedule();
      void run(follow(null));
  }
  beQuiet();

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
      lookForVerdict();
      return () => {
        readers.delete(reader);
        lookForVerdict();
      };
    },
    close() {
      closing.abort();
      clearTimeout(lookTimer);
      clearTimeout(quietTimer);
      verdict.end();
      unsubscribe();
    },
  };
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
function heartbeatDeltas({ log }: Transcript, pending: PendingStep | null): readonly TurnEvent[] {
  const beat = pending?.heartbeat ?? null;
  const thinking = log.at(-1);
  if (beat === null || thinking?.type !== 'agent_thinking') return [];
  return beat.step === thinking.step && beat.attempt === thinking.attempt ? toTextDeltas(thinking, beat) : [];
}
