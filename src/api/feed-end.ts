// Follows a turn to its end, through outages of the engine and of the graph. Only what comes from here ends a turn: the
// outcome of its workflow, what the graph has of it, or the end that is made for one that was ended from outside.

import { CandorError } from '../protocol/errors.ts';
import type { EngineEnd, GatewayGraph, TurnEngine } from '../protocol/ports.ts';
import type { Transcript } from '../protocol/transcript.ts';
import type { TurnResult } from '../protocol/turn.ts';
import type { DeliveryMetrics, GapSource } from './delivery-metrics.ts';
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
  readonly metrics: Pick<DeliveryMetrics, 'gapFilled'>;
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
  const { state, metrics } = options;
  const { transcript: final, source } =
    end.state === 'closed' ? await toFinal(options, end.result) : await toSettled(options, end);
  if (state.signal.aborted) return null;
  if (hasMore(final, state.transcript)) metrics.gapFilled(source);
  return { ...final, audit: state.transcript.audit };
}

interface Found {
  readonly transcript: Transcript;
  readonly source: GapSource;
}

/** The log as it ended, with its texts: those already here when they are whole, else those of the graph. */
async function toFinal({ state, graph }: FeedEndOptions, result: TurnResult): Promise<Found> {
  const here = textsOf(state.transcript);
  if (!needsTexts(result, here)) return { transcript: toFinalTranscript(result, here), source: 'log' };
  const texts = (await graph.turn(state.turnId))?.steps ?? here;
  return { transcript: toFinalTranscript(result, texts), source: 'graph' };
}

async function toSettled(
  { state, engine, graph }: FeedEndOptions,
  end: Extract<EngineEnd, { state: 'broken' }>,
): Promise<Found> {
  const outsideEnds = createOutsideEnds({ engine, graph });
  const { result, steps } = await outsideEnds.settle(state.turnId, state.memo, state.transcript, end);
  return { transcript: toFinalTranscript(result, steps), source: 'graph' };
}

/** Besides the terminal, which never comes by the lane. */
function hasMore(final: Transcript, known: Transcript): boolean {
  if (final.log.length > known.log.length + 1) return true;
  return final.streams.some(({ step, attempt, channel, text }) => {
    const here = known.streams.find((s) => s.step === step && s.attempt === attempt && s.channel === channel);
    return text.length > (here?.text.length ?? 0);
  });
}
