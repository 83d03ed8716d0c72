// Ends turns that nobody follows. A turn is open in the graph until its own workflow writes its end; when that was
// terminated, timed out, or is gone, or could not reach the graph in time, nobody will, unless a reader comes by. Every
// gateway looks for such turns when it starts and now and then; what several of them find is written once.

import { setTimeout as delay } from 'node:timers/promises';
import { CandorError } from '../protocol/errors.ts';
import type { TurnId } from '../protocol/ids.ts';
import type { GatewayGraph, OpenTurnMark, TurnEngine } from '../protocol/ports.ts';
import type { GatewayLog } from './gateway-log.ts';
import { pause } from './pause.ts';
import { toStoredEnd } from './stored-end.ts';
import type { TurnFeeds } from './turn-feeds.ts';

export interface TurnSweepOptions {
  readonly engine: Pick<TurnEngine, 'find' | 'id'>;
  readonly graph: Pick<GatewayGraph, 'openTurns' | 'storeTurn' | 'turn' | 'isEngineOfTurns'>;
  readonly feeds: Pick<TurnFeeds, 'open'>;
  readonly log: GatewayLog;
}

export interface TurnSweepLimits {
  readonly everyMs: number;
  /** Younger turns are left to whoever sent them. */
  readonly minAgeMs: number;
  /** Turns read at once. */
  readonly pageSize: number;
  /** Turns looked at in one sweep; the next one goes on behind them. */
  readonly maxTurns: number;
}

const defaultLimits: TurnSweepLimits = { everyMs: 5 * 60_000, minAgeMs: 60_000, pageSize: 100, maxTurns: 2_000 };

export interface TurnSweep {
  /** One sweep; the turns that it ended. */
  sweep(): Promise<readonly TurnId[]>;
  close(): void;
}

/** Sweeps at once, and then every so often. */
export function createTurnSweep(options: TurnSweepOptions, limits: TurnSweepLimits = defaultLimits): TurnSweep {
  const { engine, graph, feeds, log } = options;
  const { everyMs, minAgeMs, pageSize, maxTurns } = limits;
  const closing = new AbortController();
  let after: OpenTurnMark | null = null;

  /** True when the turn was open in the graph and is not any more. */
  const settle = async ({ turnId, userId }: OpenTurnMark, isOwn: boolean): Promise<boolean> => {
    const found = await engine.find(turnId);
    if (found?.state === 'open') return false;
    if (found === null && !isOwn) return false;
    if (found?.state === 'closed') {
      // One without text, recorded for a short while only: a workflow that has an answer tries for a day before it closes.
      await graph.storeTurn(toStoredEnd(turnId, found.result, []));
      return true;
    }
    const stored = found === null ? await graph.turn(turnId) : null;
    if (stored?.result != null) {
      // A later turn of its conversation found it gone, and Temporal knows no more of it: that is its end.
      await graph.storeTurn(toStoredEnd(turnId, stored.result, []));
      return true;
    }
    // A feed writes the end of a turn that was ended from outside, whoever reads it.
    const feed = await feeds.open(turnId, userId);
    return Promise.race([feed.ended.then(() => true), delay(settleMs, false, { ref: false })]);
  };

  const sweep = async (): Promise<readonly TurnId[]> => {
    const ended: TurnId[] = [];
    const isOwn = await graph.isEngineOfTurns(await engine.id());
    if (!isOwn) log.warn({}, foreignGraph);
    const linkedBefore = new Date(Date.now() - minAgeMs).toISOString();
    for (let seen = 0; seen < maxTurns && !closing.signal.aborted;) {
      const page: readonly OpenTurnMark[] = await graph.openTurns(linkedBefore, pageSize, after);
      for (const mark of page) {
        if (closing.signal.aborted) return ended;
        if (await settle(mark, isOwn)) ended.push(mark.turnId);
      }
      seen += page.length;
      after = page.length < pageSize ? null : (page.at(-1) ?? null);
      if (after === null) break;
    }
    if (ended.length > 0) log.info({ turns: ended.length }, 'ended turns that had no workflow any more');
    return ended;
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await sweep();
      } catch (error) {
        if (closing.signal.aborted) return;
        const isAway = error instanceof CandorError;
        if (isAway) log.warn({ code: error.code }, 'unable to look for turns without a workflow; trying again later');
        else log.error({ error }, 'a bug while turns without a workflow were looked for');
      }
      await pause(everyMs, closing.signal);
    }
  };
  void run();

  return { sweep, close: () => closing.abort() };
}

/** A gateway with a wrong address must not end another Temporal's turns: their answers could not be stored any more. */
const foreignGraph =
  'the graph holds the turns of another Temporal; turns that this one does not know are left alone. If that one is gone ' +
  'for good: MATCH (e:TurnEngine) DELETE e';

/** A turn whose parts are away settles in a later sweep. */
const settleMs = 15_000;
