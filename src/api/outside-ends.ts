// Ends turns whose workflow was ended from outside, for good: the end is written into the graph, where the first one
// stays, and what is read back from there is what everybody is told, at this gateway, at the others and years later.

import type { SequencedEvent } from '../protocol/events.ts';
import type { TurnId } from '../protocol/ids.ts';
import { toOutsideResult, type OutsideEnd } from '../protocol/outside-end.ts';
import type { GatewayGraph, StoredTurn, TurnEngine } from '../protocol/ports.ts';
import { applyEvents, emptyTranscript, type Transcript } from '../protocol/transcript.ts';
import { toLogged, type StepText, type TurnMemo, type TurnResult } from '../protocol/turn.ts';
import { textsOf, toAccepted } from './final-transcript.ts';
import { toStoredEnd } from './stored-end.ts';

export interface OutsideEnds {
  /**
   * @param known the turn as this gateway has seen it
   * @throws CandorError `graph_unavailable`, `engine_unavailable`: nobody has been told an end yet
   */
  settle(turnId: TurnId, memo: TurnMemo, known: Transcript, end: OutsideEnd): Promise<SettledEnd>;
}

export interface SettledEnd {
  readonly result: TurnResult;
  readonly steps: readonly StepText[];
}

const logTimeoutMs = 2_000;

export function createOutsideEnds({
  engine,
  graph,
}: {
  readonly engine: TurnEngine;
  readonly graph: GatewayGraph;
}): OutsideEnds {
  /** The best that is known: the workflow's own log if a worker can replay it, else what was seen, else how it began. */
  const logOf = async (
    turnId: TurnId,
    known: Transcript,
    stored: StoredTurn | null,
  ): Promise<readonly SequencedEvent[]> => {
    const told = await engine.log(turnId, logTimeoutMs);
    if (told !== null) return told.log;
    if (known.log.length > 0) return known.log;
    const accepted = await engine.accepted(turnId);
    if (accepted !== null) return [accepted];
    return stored === null ? [] : [toAccepted(stored)];
  };

  return {
    async settle(turnId, memo, known, end) {
      const log = await logOf(turnId, known, await graph.turn(turnId));
      const steps = textsOf(applyEvents(emptyTranscript, log));
      const { conversationId, agentId } = memo;
      const result = toOutsideResult(
        { turnId, conversationId, agentId },
        log.map(toLogged),
        end,
        openChars(known, log.at(-1)),
      );
      await graph.storeTurn(toStoredEnd(turnId, result, steps));
      const stored = await graph.turn(turnId);
      // A turn that was never linked, or that its owner has deleted, is not in the graph.
      return stored?.result == null ? { result, steps } : { result: stored.result, steps: stored.steps };
    },
  };
}

/** What was seen of the call that was running. */
function openChars({ streams }: Transcript, last: SequencedEvent | undefined): number {
  if (last?.type !== 'agent_thinking') return 0;
  const { step, attempt } = last;
  return streams
    .filter((stream) => stream.step === step && stream.attempt === attempt)
    .reduce((sum, { text }) => sum + text.length, 0);
}
