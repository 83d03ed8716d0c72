// Follows a turn to its end, through outages of the engine and of the graph. Only what comes from here ends a turn: the
// outcome of its workflow, what the graph has of it, or the end that is made for one that was ended from outside.

import { CandorError } from '../protocol/errors.ts';
import type { EngineEnd, GatewayGraph, TurnEngine } from '../protocol/ports.ts';
import type { Transcript } from '../protocol/transcript.ts';
import type { TurnResult } from '../protocol/turn.ts';
import type { FeedQuiet } from './feed-quiet.ts';
import type { FeedState } from './feed-state.ts';
import { engineIsAway, graphIsAway } from './feed-waiting.ts';
import { needsTexts, textsOf, toFinalTranscript } from './final-transcript.ts';
import type { GatewayLog } from './gateway-log.ts';
import { createOutsideEnds } from './outside-ends.ts';
import { pause } from './pause.ts';

export interface FeedEndOptions {
  readonly state: FeedState;
  readonly quiet: FeedQuiet;
  readonly engine: TurnEngine;
  readonly graph: GatewayGraph;
  readonly log: GatewayLog;
}

const backoff = { firstMs: 500, maxMs: 10_000 } as const;
/** An engine that has just come up is asked twice before a turn counts as gone. */
const goneCheckMs = 2_000;

/**
 * Resolves with the transcript that holds the terminal event; `null`: the feed was closed before.
 *
 * @param found the end, where it is known already
 */
export async function followToEnd(options: FeedEndOptions, found: EngineEnd | null): Promise<Transcript | null> {
  const { state, quiet, engine, graph, log } = options;
  const { turnId, signal } = state;
  let isMissing = false;
  for (let backoffMs: number = backoff.firstMs; !state.isOver; backoffMs = Math.min(backoffMs * 2, backoff.maxMs)) {
    try {
      const end = found ?? (await engine.waitForEnd(turnId, signal));
      if (end !== null) return await toEnd(options, end);
      const stored = await graph.turn(turnId);
      if (stored?.result != null) return await toEnd(options, { state: 'closed', result: stored.result });
      if (isMissing)
        return await toEnd(options, { state: 'broken', cause: 'gone', closedAt: new Date().toISOString() });
      isMissing = true;
      await pause(goneCheckMs, signal);
    } catch (error) {
      if (signal.aborted) return null;
      isMissing = false;
      if (error instanceof CandorError) {
        log.warn({ turnId, code: error.code }, 'unable to follow a turn to its end; trying again');
        quiet.found(error.code === 'graph_unavailable' ? graphIsAway : engineIsAway);
      } else {
        // A reader must not be left alone by a bug of ours either.
        log.error({ turnId, error }, 'a bug while a turn was followed to its end; trying again');
      }
      await pause(backoffMs, signal);
    }
  }
  return null;
}

async function toEnd(options: FeedEndOptions, end: EngineEnd): Promise<Transcript | null> {
  const final = end.state === 'closed' ? await toFinal(options, end.result) : await toSettled(options, end);
  const { state } = options;
  return state.signal.aborted ? null : { ...final, audit: state.transcript.audit };
}

/** The log as it ended, with its texts: those already here when their hashes agree, else those of the graph. */
async function toFinal({ state, graph }: FeedEndOptions, result: TurnResult): Promise<Transcript> {
  const here = textsOf(state.transcript);
  const texts = needsTexts(result, here) ? ((await graph.turn(state.turnId))?.steps ?? here) : here;
  return toFinalTranscript(result, texts);
}

async function toSettled(
  { state, engine, graph }: FeedEndOptions,
  end: Extract<EngineEnd, { state: 'broken' }>,
): Promise<Transcript> {
  const { result, steps } = await createOutsideEnds({ engine, graph }).settle(
    state.turnId,
    state.memo,
    state.transcript,
    end,
  );
  return toFinalTranscript(result, steps);
}
