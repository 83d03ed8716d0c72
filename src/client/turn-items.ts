// The events of a turn as a loop reads them.

import { terminalOf, type Transcript } from '../protocol/transcript.ts';
import type { CandorClientError } from './client-error.ts';
import { createReading, type TurnItem } from './reading.ts';
import type { EventsOptions, TurnHandle } from './turn-handle.ts';

export interface ItemSource extends Pick<TurnHandle, 'turnId' | 'transcript' | 'subscribe'> {
  /** Why no more will come. */
  readonly failure: CandorClientError | null;
  /** Says that the verdict is waited for; returns what takes it back. */
  awaitVerdict(): () => void;
}

/** @param from what the reader has already */
export async function* readItems(
  source: ItemSource,
  from: Transcript,
  { until = 'end' }: EventsOptions = {},
): AsyncGenerator<TurnItem, void, undefined> {
  const reading = createReading(source.turnId, from);
  let wake = (): void => undefined;
  const unsubscribe = source.subscribe(() => wake());
  const noMore = until === 'verdict' ? source.awaitVerdict() : () => undefined;
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => (wake = resolve));
      const { transcript, failure } = source;
      const items = reading.take(transcript);
      yield* items;
      // While the loop was busy more may have come; only what was looked at decides.
      if (source.transcript !== transcript) continue;
      if (isDone(transcript, until)) return;
      if (failure !== null) throw failure;
      await changed;
    }
  } finally {
    noMore();
    unsubscribe();
  }
}

/** The verdict of a turn that was not audited never comes. */
export function awaitsVerdict({ log, audit }: Transcript): boolean {
  return audit === null && log.some((event) => event.type === 'audit_started');
}

function isDone(transcript: Transcript, until: 'end' | 'verdict'): boolean {
  if (terminalOf(transcript) === null) return false;
  return until === 'end' || !awaitsVerdict(transcript);
}
