// What a workflow really did and when, read from its history: on the time-skipping server the only clock to trust.

import type { temporal } from '@temporalio/proto';
import type { WorkflowHandle } from '@temporalio/client';

export { failureOf, logOf } from '../../testing/turns/outcome.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
/** Name of the attributes field: `timerStartedEventAttributes` and so on. */
export type AttributesName = Extract<keyof HistoryEvent, `${string}EventAttributes`>;

export interface Moment<Name extends AttributesName> {
  readonly atMs: number;
  readonly attributes: NonNullable<HistoryEvent[Name]>;
}

/** The events of one kind, in order. */
export async function moments<Name extends AttributesName>(
  handle: WorkflowHandle,
  name: Name,
): Promise<Moment<Name>[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap((event) => {
    const attributes = event[name];
    return attributes === null || attributes === undefined ? [] : [{ atMs: toMs(event.eventTime), attributes }];
  });
}

/** Resolves when the history has an event of this kind. */
export async function untilRecorded(handle: WorkflowHandle, name: AttributesName): Promise<void> {
  while ((await moments(handle, name)).length === 0);
}

/** Seconds in a protobuf are a `Long` or a number, as the library decided. */
export const toMs = (time: { seconds?: unknown; nanos?: number | null } | null | undefined): number =>
  Number(time?.seconds ?? 0) * 1_000 + Math.round((time?.nanos ?? 0) / 1e6);

/** Milliseconds between each two neighbours. */
export const gaps = (times: readonly { readonly atMs: number }[]): number[] =>
  times.slice(1).map(({ atMs }, index) => atMs - (times[index]?.atMs ?? 0));

export const typesOf = (log: readonly { readonly type: string }[]): string[] => log.map(({ type }) => type);
