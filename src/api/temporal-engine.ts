// The engine behind the gateway: starts, signals and reads turns in Temporal. The only place of the gateway that knows
// what a workflow is.

import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  QueryRejectedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowExecutionStatusName,
  type WorkflowHandle,
} from '@temporalio/client';
import {
  ApplicationFailure,
  defaultPayloadConverter,
  defineSearchAttributeKey,
  NamespaceNotFoundError,
  SearchAttributeType,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { tsToDate } from '@temporalio/common/lib/time.js';
import type { StreamHeartbeat, TurnActivities } from '../protocol/activities.ts';
import { CandorError, isErrorCode } from '../protocol/errors.ts';
import type { TurnAccepted } from '../protocol/events.ts';
import { turnWorkflowId, type TurnId } from '../protocol/ids.ts';
import type { OutsideCause } from '../protocol/outside-end.ts';
import type { EngineEnd, EngineTurn, PendingStep, TurnEngine, TurnStand } from '../protocol/ports.ts';
import {
  chatTurnType,
  logQuery,
  signals,
  type TurnInput,
  type TurnLog,
  type TurnMemo,
  type TurnResult,
} from '../protocol/turn.ts';

export interface TemporalEngineOptions {
  readonly client: Client;
  readonly taskQueue: string;
  /** Base address of Temporal UI; `null`: no links. */
  readonly uiUrl: string | null;
  /** Client and worker share a connection: the first workflow task comes back with the start. */
  readonly eagerStart: boolean;
}

const conversationKey = defineSearchAttributeKey('CandorConversation', SearchAttributeType.KEYWORD);
const agentKey = defineSearchAttributeKey('CandorAgent', SearchAttributeType.KEYWORD);
const userKey = defineSearchAttributeKey('CandorUser', SearchAttributeType.KEYWORD);

/** gRPC status code NOT_FOUND. */
const grpcNotFound = 5;
/** PENDING_ACTIVITY_STATE_SCHEDULED of Temporal's API: it waits for a worker, or for its next try. */
const scheduledState = 1;
/** The one activity whose heartbeats hold text. */
const streamType = 'stream' satisfies keyof TurnActivities;
/** A person waits for the answer to these; an engine that is away must be named before that gets long. */
const callTimeoutMs = 5_000;
const pingTimeoutMs = 2_000;

export function createTemporalEngine({ client, taskQueue, uiUrl, eagerStart }: TemporalEngineOptions): TurnEngine {
  const handleOf = (turnId: TurnId): WorkflowHandle => client.workflow.getHandle(turnWorkflowId(turnId));
  const call = <Result>(body: () => Promise<Result>, timeoutMs = callTimeoutMs): Promise<Result> =>
    withEngineErrors(() => within(timeoutMs, () => client.withDeadline(Date.now() + timeoutMs, body)));
  const ping = (): Promise<void> =>
    call(async () => void (await client.workflowService.getSystemInfo({})), pingTimeoutMs);

  /** How a closed workflow ended. @throws WorkflowNotFoundError */
  const endOf = async (handle: WorkflowHandle): Promise<EngineEnd> => {
    try {
      return { state: 'closed', result: (await handle.result()) as TurnResult };
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      const result = toFailedResult(error);
      if (result !== null) return { state: 'closed', result };
      const { status, closeTime } = await handle.describe();
      return {
        state: 'broken',
        cause: causes[status.name] ?? 'closed',
        closedAt: (closeTime ?? new Date()).toISOString(),
      };
    }
  };
  const sendSignal = (turnId: TurnId, name: string, payload: unknown): Promise<boolean> =>
    call(async () => {
      try {
        await handleOf(turnId).signal(name, payload);
        return true;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    });

  return {
    id: () =>
      call(async () => {
        const { clusterId } = await client.workflowService.getClusterInfo({});
        return `${clusterId}/${client.options.namespace}`;
      }),
    start: (input) =>
      call(async () => {
        try {
          await client.workflow.start(chatTurnType, {
            workflowId: turnWorkflowId(input.turnId),
            taskQueue,
            args: [input],
            // A task in the hands of a worker that died is given out anew after this long. Temporal's own ten seconds
            // would be longer than everything else that the death of a worker costs.
            workflowTaskTimeout: '4s',
            // An id that exists, open or closed, starts nothing and says so: no silent attachment to another's turn.
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            workflowIdConflictPolicy: 'FAIL',
            memo: toMemo(input),
            typedSearchAttributes: [
              { key: conversationKey, value: input.conversationId },
              { key: agentKey, value: input.agentId },
              { key: userKey, value: input.userId },
            ],
            staticSummary: `turn of ${input.agentId}`,
            requestEagerStart: eagerStart,
          });
          return { started: true };
        } catch (error) {
          if (error instanceof WorkflowExecutionAlreadyStartedError) return { started: false };
          throw error;
        }
      }),
    find: (turnId) =>
      call(async (): Promise<EngineTurn | null> => {
        const handle = handleOf(turnId);
        try {
          const { raw, status, memo } = await handle.describe();
          const known = memo as unknown as TurnMemo;
          if (status.name !== 'RUNNING') return { memo: known, ...(await endOf(handle)) };
          return { state: 'open', memo: known, stand: toStand(raw) };
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) return null;
          throw error;
        }
      }),
    waitForEnd: (turnId, signal) =>
      withEngineErrors(() =>
        client.withAbortSignal(signal, async () => {
          try {
            return await endOf(handleOf(turnId));
          } catch (error) {
            signal.throwIfAborted();
            if (error instanceof WorkflowNotFoundError) return null;
            throw error;
          }
        }),
      ),
    async log(turnId, timeoutMs) {
      try {
        return await call(async () => {
          try {
            return await handleOf(turnId).query<TurnLog>(logQuery);
          } catch (error) {
            if (error instanceof WorkflowNotFoundError || error instanceof QueryRejectedError) return null;
            if (error instanceof QueryNotRegisteredError) return null;
            throw error;
          }
        }, timeoutMs);
      } catch (error) {
        if (!(error instanceof CandorError)) throw error;
        // A query waits for a worker as long as for a server: only the server can say which of them is away.
        await ping();
        return null;
      }
    },
    accepted: (turnId) =>
      call(async () => {
        try {
          return await readAccepted(client, turnId);
        } catch (error) {
          if (isGrpcServiceError(error) && Number(error.code) === grpcNotFound) return null;
          throw error;
        }
      }),
    stand: (turnId) =>
      call(async () => {
        try {
          const { raw, status } = await handleOf(turnId).describe();
          return status.name === 'RUNNING' ? toStand(raw) : null;
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) return null;
          throw error;
        }
      }),
    cancel: (turnId, signal) => sendSignal(turnId, signals.cancel, signal),
    withdraw: (turnId, signal) => sendSignal(turnId, signals.withdraw, signal),
    link: (turnId) =>
      uiUrl === null
        ? null
        : `${uiUrl}/namespaces/${client.options.namespace}/workflows/${encodeURIComponent(turnWorkflowId(turnId))}`,
    ping,
  };
}

const toMemo = ({ conversationId, userId, agentId, contentSha256 }: TurnInput) => ({
  conversationId,
  userId,
  agentId,
  contentSha256,
});

/** `null`: it failed in a way that is not ours. */
function toFailedResult({ cause }: WorkflowFailedError): TurnResult | null {
  const details = cause instanceof ApplicationFailure ? cause.details : undefined;
  const result = details?.[0] as TurnResult | undefined;
  return result?.outcome === 'failed' && Array.isArray(result.log) ? result : null;
}

const causes: Partial<Record<WorkflowExecutionStatusName, OutsideCause>> = {
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed_out',
};

type Description = Awaited<ReturnType<WorkflowHandle['describe']>>['raw'];

/** A workflow's state, and its log with it, changes by events of its history only. */
const toStand = ({ workflowExecutionInfo, pendingActivities }: Description): TurnStand => ({
  revision: Number(workflowExecutionInfo?.historyLength ?? 0),
  pending: (pendingActivities ?? []).map(toPendingStep),
});

function toPendingStep({
  activityType,
  heartbeatDetails,
  lastFailure,
  state,
  scheduledTime,
}: NonNullable<Description['pendingActivities']>[number]): PendingStep {
  const [beat] = (activityType?.name === streamType ? heartbeatDetails?.payloads : null) ?? [];
  const code = lastFailure?.applicationFailureInfo?.type;
  const isScheduled = Number(state) === scheduledState;
  return {
    errorCode: isErrorCode(code) ? code : null,
    nextTryAt: isScheduled && scheduledTime != null ? tsToDate(scheduledTime).toISOString() : null,
    heartbeat: beat === undefined ? null : defaultPayloadConverter.fromPayload<StreamHeartbeat>(beat),
  };
}

/** The input is the first thing in the history: no worker is needed to read it. */
async function readAccepted(client: Client, turnId: TurnId): Promise<TurnAccepted | null> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId: turnWorkflowId(turnId) },
    maximumPageSize: 1,
  });
  const [begun] = history?.events ?? [];
  const [payload] = begun?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  if (payload === undefined || begun?.eventTime == null) return null;
  const { conversationId, agentId, text, parentTurnId } = defaultPayloadConverter.fromPayload<TurnInput>(payload);
  return {
    type: 'turn_accepted',
    ...{ turnId, conversationId, agentId, text },
    seq: 1,
    time: tsToDate(begun.eventTime).toISOString(),
    ...(parentTurnId === null ? {} : { parentTurnId }),
  };
}

async function withEngineErrors<Result>(body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    // A service error that no caller above has given a meaning: the engine is away, or it refuses to serve.
    if (isGrpcServiceError(error) || isConnectionError(error) || error instanceof NamespaceNotFoundError)
      throw new CandorError('engine_unavailable', { cause: error });
    throw error;
  }
}

/** The connection tries for some 10 s to reach a server that is away, whatever deadline it was given (measured). */
async function within<Result>(limitMs: number, body: () => Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const cause = new Error(`unable to ask Temporal; no answer within ${limitMs} ms`);
      reject(new CandorError('engine_unavailable', { cause }));
    }, limitMs).unref();
  });
  try {
    return await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const isConnectionError = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'ServiceError' || error.name === 'TransportError');
