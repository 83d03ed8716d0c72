// Everything that a turn left behind, read where it lies: the frames of the socket, REST, Temporal's history with its
// payloads opened, the graph's own node, and the calls as the model's server counted them.

import proto from '@temporalio/proto';
import type { Database } from '../../src/graph/database.ts';
import type { SequencedEvent, TurnEvent } from '../../src/protocol/events.ts';
import { turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import type { TurnView } from '../../src/api/turn-view.ts';
import type { RecordedCall } from '../../testing/upstream/upstream.ts';
import type { ChatClient } from '../chat-client.ts';
import type { Stack } from '../stack.ts';

const { History } = proto.temporal.api.history.v1;

export interface Evidence {
  /** Frames of the turn in order of arrival. */
  readonly frames: readonly TurnEvent[];
  /** As the client has it at the end: provisional events may have been corrected on the way. */
  readonly log: readonly SequencedEvent[];
  /** Calls of the model that were counted at its server. */
  readonly calls: readonly RecordedCall[];
  readonly view: TurnView;
  readonly history: string;
  /** The history without the vendor's own errors: those lie there, and nowhere else, as causes. */
  readonly historyWithoutCauses: string;
  /** `type` of the workflow's failure; `null` when it did not fail. */
  readonly failureType: string | null;
  /** All properties of the turn's node. */
  readonly stored: Readonly<Record<string, unknown>>;
}

export async function collectEvidence(
  stack: Stack,
  database: Database,
  socket: ChatClient,
  turnId: TurnId,
  calls: readonly RecordedCall[],
): Promise<Evidence> {
  const frames = [...socket.events(turnId)];
  const [view, history, [row]] = await Promise.all([
    stack.fetch(`/api/turns/${turnId}`).then((response) => response.json() as Promise<TurnView>),
    stack.client.workflow.getHandle(turnWorkflowId(turnId)).fetchHistory(),
    database.read<{ properties: Record<string, unknown> }>(
      'MATCH (t:Turn {id: $turnId}) RETURN properties(t) AS properties',
      { turnId },
    ),
  ]);
  const plain = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String }) as {
    events: PlainEvent[];
  };
  const failed = plain.events.find((event) => event.workflowExecutionFailedEventAttributes !== undefined);
  const withoutCauses = plain.events.map((event) => {
    const { activityTaskFailedEventAttributes: activity } = event;
    if (activity === undefined) return event;
    const { cause: _cause, ...failure } = activity.failure;
    return { ...event, activityTaskFailedEventAttributes: { ...activity, failure } };
  });
  return {
    frames,
    log: socket.transcript(turnId).log,
    calls: [...calls],
    view,
    history: toText(plain.events),
    historyWithoutCauses: toText(withoutCauses),
    failureType: failed?.workflowExecutionFailedEventAttributes?.failure.applicationFailureInfo?.type ?? null,
    stored: row?.properties ?? {},
  };
}

interface PlainFailure {
  readonly cause?: unknown;
  readonly applicationFailureInfo?: { readonly type?: string };
}

interface PlainEvent {
  readonly activityTaskFailedEventAttributes?: { readonly failure: PlainFailure };
  readonly workflowExecutionFailedEventAttributes?: { readonly failure: PlainFailure };
}

/** Payloads are base64 in a history: what they hold is what has to be read. */
const toText = (events: readonly PlainEvent[]): string =>
  JSON.stringify(events, (key, value: unknown) =>
    key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value,
  );

export const typesOf = ({ log }: Pick<Evidence, 'log'>): string[] => log.map(({ type }) => type);
