// Looks at the durable side of an open turn: the workflow's log, and, when that has nothing new, what the turn is at. One
// look at a time, often while the lane is silent and then less and less.

import { CandorError } from '../protocol/errors.ts';
import { isTerminal, type TurnEvent } from '../protocol/events.ts';
import type { PendingStep, TurnEngine } from '../protocol/ports.ts';
import { applyEvents, type Transcript } from '../protocol/transcript.ts';
import type { FeedQuiet } from './feed-quiet.ts';
import type { FeedState } from './feed-state.ts';
import { awayPart, engineIsAway } from './feed-waiting.ts';
import { toTextDeltas } from './final-transcript.ts';
import type { GatewayLog } from './gateway-log.ts';

export interface FeedLook {
  /** Events up to here are the workflow's own: the lane cannot correct them. */
  readonly confirmed: number;
  /** Looks now, unless it is looking. A bug in it is logged, never thrown. */
  now(): Promise<void>;
  /** Looks from now on whenever the lane is silent. */
  begin(): void;
  /** The lane brought something. */
  progressed(): void;
  end(): void;
}

export interface FeedLookOptions {
  readonly state: FeedState;
  readonly quiet: FeedQuiet;
  readonly engine: TurnEngine;
  readonly log: GatewayLog;
  readonly firstLookMs: number;
  readonly maxLookMs: number;
}

const queryTimeoutMs = 2_000;

export function createFeedLook({ state, quiet, engine, log, firstLookMs, maxLookMs }: FeedLookOptions): FeedLook {
  const { turnId } = state;
  let confirmed = 0;
  let isLooking = false;
  let lookMs = firstLookMs;
  let timer: NodeJS.Timeout | undefined;

  /**
   * Reads the workflow's log, and what the turn is at when the log has nothing new: the text of a call that does not
   * arrive by the lane, or a step whose part is away.
   */
  const look = async (): Promise<void> => {
    if (isLooking || state.isOver) return;
    isLooking = true;
    try {
      const before = state.transcript;
      const durable = await engine.log(turnId, queryTimeoutMs);
      if (durable === null) return quiet.found({ reason: 'worker' });
      // A workflow that is about to close has its end in its log already; the outcome brings it, with the texts.
      const open = durable.log.filter((event) => !isTerminal(event));
      if (open.length >= confirmed) {
        confirmed = open.length;
        state.set(applyEvents(state.transcript, open));
      }
      if (state.transcript.log === before.log && state.transcript.streams === before.streams) {
        const pending = await engine.pending(turnId);
        state.set(applyEvents(state.transcript, heartbeatDeltas(state.transcript, pending)));
        if (state.transcript.streams === before.streams) return quiet.found(awayPart(pending));
      }
      progressed();
      quiet.progressed();
    } catch (error) {
      if (!(error instanceof CandorError)) throw error;
      log.warn({ turnId, code: error.code }, 'unable to read the log of a turn');
      quiet.found(engineIsAway);
    } finally {
      isLooking = false;
    }
  };

  const progressed = (): void => {
    lookMs = firstLookMs;
  };

  const now = (): Promise<void> =>
    look().catch((error: unknown) => log.error({ turnId, error }, 'a bug in a look at a turn'));

  const schedule = (): void => {
    if (state.isOver) return;
    timer = setTimeout(() => {
      const isSilent = Date.now() - quiet.lastEventMs >= firstLookMs;
      void (isSilent ? now() : Promise.resolve()).finally(schedule);
      lookMs = Math.min(lookMs * 2, maxLookMs);
    }, lookMs).unref();
  };

  return {
    get confirmed() {
      return confirmed;
    },
    now,
    begin: schedule,
    progressed,
    end: () => clearTimeout(timer),
  };
}

/** What the running call heartbeats, as deltas: its text does not arrive by the lane. */
function heartbeatDeltas({ log }: Transcript, pending: PendingStep | null): readonly TurnEvent[] {
  const beat = pending?.heartbeat ?? null;
  const thinking = log.at(-1);
  if (beat === null || thinking?.type !== 'agent_thinking') return [];
  return beat.step === thinking.step && beat.attempt === thinking.attempt ? toTextDeltas(thinking, beat) : [];
}
