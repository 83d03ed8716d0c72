// What two readers must agree on. A discarded stream holds no text; a reader that never saw the text has no stream at
// all, and both show the same.

import type { TextStream, Transcript } from '../../src/protocol/transcript.ts';

export interface View {
  readonly log: Transcript['log'];
  readonly streams: readonly TextStream[];
  readonly audit: Transcript['audit'];
}

const keyOf = ({ step, attempt, channel }: TextStream): string => `${step}/${attempt}/${channel}`;

export function toView({ log, streams, audit }: Transcript): View {
  const shown = streams.filter(({ state, text }) => state !== 'discarded' && text !== '');
  return { log, streams: shown.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)), audit };
}

/** Reasoning of a step that is complete is not sent again, so a reader that lost some of it may hold less. */
export function withoutFinalReasoning(view: View): View {
  return { ...view, streams: view.streams.filter((s) => !(s.channel === 'reasoning' && s.state === 'final')) };
}
