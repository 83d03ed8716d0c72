// Looks at the durable side of an open turn. Where it stands is asked of the engine, which needs no worker for it and
// tells the text of the running call by its heartbeat. The log is asked of a worker, and only when it can have changed.
// One look at a time, for all readers together: at once at a gap and when a reader comes, often while the lane is
// silent, then less and less, and not at all without readers.

import { CandorError } from '../protocol/errors.ts';
import { isSequenced, isTerminal, type TurnEvent } from '../protocol/events.ts';
import type { PendingStep, TurnEngine, TurnStand } from '../protocol/ports.ts';
import { applyEvents, hasGap, type Transcript } from '../protocol/transcript.ts';
import type { DeliveryMetrics, GapSource } from './delivery-metrics.ts';
import type { FeedQuiet } from './feed-quiet.ts';
import type { FeedState } from './feed-state.ts';
import { awaitsWorker, awayPart, engineIsAway } from './feed-waiting.ts';
import { toTextDeltas, withTexts } from './final-transcript.ts';
import type { GatewayLog } from './gateway-log.ts';

export interface FeedLook {
  /** Events up to here are the workflow's own: the lane cannot correct them. */
  readonly confirmed: number;
  /** Somebody reads: looks whenever the lane is silent, and at once when it has been. */
  begin(): void;
  /** Nobody reads any more, or the turn is over. */
  end(): void;
  /** The lane brought something; perhaps with a hole before it. */
  laneBrought(): void;
  /** The lane told of something that it did not bring: the log has it. */
  laneLacks(): void;
  /** Looks now; whoever asks while one looks gets that look. @param known where the turn stands, if it was just asked */
  now(known?: TurnStand): Promise<void>;
  /** Looks now, unless what is known was brought a moment ago. */
  ifStale(): Promise<void>;
  /** Asks for the log anew. @returns its length, its end included; `null`: nobody answered */
  logLength(): Promise<number | null>;
}

export interface FeedLookOptions {
  readonly state: FeedState;
  readonly quiet: FeedQuiet;
  readonly engine: TurnEngine;
  readonly metrics: Pick<DeliveryMetrics, 'gapFilled'>;
  readonly log: GatewayLog;
  readonly firstLookMs: number;
  readonly maxLookMs: number;
}

const queryTimeoutMs = 2_000;
/** Between looks at one gap, doubled up to the pace of the heartbeats: a gap that they do not reach yet takes one more. */
const gapPause = { firstMs: 200, maxMs: 1_000 } as const;

export function createFeedLook(options: FeedLookOptions): FeedLook {
  const { state, quiet, engine, metrics, log, firstLookMs, maxLookMs } = options;
  const { turnId } = state;
  let confirmed = 0;
  /** The log was read at this revision. */
  let readRevision: number | null = null;
  /** The log is known to have more, or somebody asked for it. */
  let isLogWanted = false;
  let readLength: number | null = null;
  let looking: Promise<void> | null = null;
  let lookedAtMs = -Infinity;
  let isWanted = false;
  let pauseMs = firstLookMs;
  let gapPauseMs: number = gapPause.firstMs;
  let timer: NodeJS.Timeout | undefined;
  let dueMs = Infinity;

  const fill = (events: readonly TurnEvent[], source: GapSource): void => {
    const { log: before, streams } = state.transcript;
    state.set(applyEvents(state.transcript, events));
    if (state.transcript.log !== before || state.transcript.streams !== streams) metrics.gapFilled(source);
  };

  /** False: no worker answered. */
  const readLog = async ({ revision }: TurnStand): Promise<boolean> => {
    const durable = await engine.log(turnId, queryTimeoutMs);
    if (durable === null) return false;
    [readRevision, readLength, isLogWanted] = [revision, durable.log.length, false];
    // A workflow that is about to close has its end in its log already; the outcome brings it, with the texts.
    const open = durable.log.filter((event) => !isTerminal(event));
    if (open.length >= confirmed) {
      confirmed = open.length;
      fill(withTexts(open, durable.texts), 'log');
    }
    return true;
  };

  const mustRead = ({ revision, pending }: TurnStand): boolean =>
    isLogWanted || revision !== readRevision || lacksEvents(state.transcript) || awaitsWorker(pending, Date.now());

  const look = async (known: TurnStand | undefined): Promise<void> => {
    try {
      const { log: before, streams } = state.transcript;
      const stand = known ?? (await engine.stand(turnId));
      // It has just ended: its outcome is on its way.
      if (stand === null || state.isOver) return;
      fill(heartbeatDeltas(state.transcript, stand.pending), 'heartbeat');
      const isAnswered = !mustRead(stand) || (await readLog(stand));
      // The call that it tells of may have been unknown here before.
      fill(heartbeatDeltas(state.transcript, stand.pending), 'heartbeat');
      if (state.transcript.log !== before || state.transcript.streams !== streams) {
        pauseMs = firstLookMs;
        quiet.progressed();
      } else quiet.found(isAnswered ? awayPart(stand.pending) : { reason: 'worker' });
    } catch (error) {
      if (!(error instanceof CandorError)) throw error;
      log.warn({ turnId, code: error.code }, 'unable to look at a turn');
      quiet.found(engineIsAway);
    }
  };

  const now = (known?: TurnStand): Promise<void> => {
    if (state.isOver) return Promise.resolve();
    looking ??= look(known)
      .catch((error: unknown) => log.error({ turnId, error }, 'a bug in a look at a turn'))
      .finally(() => {
        looking = null;
        lookedAtMs = Date.now();
        arm(nextPauseMs());
      });
    return looking;
  };

  const isAtGap = (): boolean => isLogWanted || hasGap(state.transcript);

  const nextPauseMs = (): number => {
    if (isAtGap()) {
      const ms = gapPauseMs;
      gapPauseMs = Math.min(gapPauseMs * 2, gapPause.maxMs);
      return ms;
    }
    gapPauseMs = gapPause.firstMs;
    const ms = pauseMs;
    pauseMs = Math.min(pauseMs * 2, maxLookMs);
    return ms;
  };

  const arm = (ms: number): void => {
    clearTimeout(timer);
    if (!isWanted || state.isOver) return;
    dueMs = Date.now() + ms;
    timer = setTimeout(() => {
      const silentMs = Date.now() - quiet.lastEventMs;
      if (isAtGap() || silentMs >= firstLookMs) void now();
      else arm(firstLookMs - silentMs);
    }, ms).unref();
  };

  /** A gap is looked at at once, but not again and again while pieces behind it arrive. */
  const lookSoon = (): void => {
    const ms = Math.max(0, lookedAtMs + gapPauseMs - Date.now());
    if (looking === null && Date.now() + ms < dueMs) arm(ms);
  };

  const isStale = (): boolean => Date.now() - Math.max(quiet.lastEventMs, lookedAtMs) >= firstLookMs;

  return {
    get confirmed() {
      return confirmed;
    },
    begin() {
      isWanted = true;
      pauseMs = firstLookMs;
      arm(isStale() || isAtGap() ? 0 : firstLookMs);
    },
    end() {
      isWanted = false;
      dueMs = Infinity;
      clearTimeout(timer);
    },
    laneBrought() {
      pauseMs = firstLookMs;
      if (hasGap(state.transcript)) lookSoon();
    },
    laneLacks() {
      isLogWanted = true;
      lookSoon();
    },
    now,
    ifStale: () => (isStale() ? now() : Promise.resolve()),
    async logLength() {
      await looking;
      [isLogWanted, readLength] = [true, null];
      await now();
      return readLength;
    },
  };
}

/** Something was told that refers beyond the log. */
const lacksEvents = ({ ahead, log }: Transcript): boolean =>
  ahead.some((event) => isSequenced(event) || event.after > log.length);

/** What running calls heartbeat, as deltas: their text so far, wherever the lane has lost it. */
function heartbeatDeltas({ log }: Transcript, pending: readonly PendingStep[]): TurnEvent[] {
  return pending.flatMap(({ heartbeat: beat }) => {
    const thinking = log.find(
      (event) => event.type === 'agent_thinking' && event.step === beat?.step && event.attempt === beat.attempt,
    );
    return beat === null || thinking?.type !== 'agent_thinking' ? [] : toTextDeltas(thinking, beat);
  });
}
