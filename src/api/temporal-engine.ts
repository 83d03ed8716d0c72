// The engine behind the gateway: starts, signals and reads turns in Temporal. The only place of the gateway that knows
// what a workflow is.

import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  QueryRejectedError,
  ServiceError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import {
  ApplicationFailure,
  defaultPayloadConverter,
  defineSearchAttributeKey,
  SearchAttributeType,
  TerminatedFailure,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import type { StreamHeartbeat } from '../protocol/activities.ts';
import { CandorError } from '../protocol/errors.ts';
import { turnWorkflowId, type TurnId } from '../protocol/ids.ts';
import type { EngineEnd, EngineTurn, TurnEngine } from '../protocol/ports.ts';
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

/** gRPC status codes: CANCELLED, DEADLINE_EXCEEDED. */
const [grpcCancelled, grpcDeadline] = [1, 4];
const callTimeoutMs = 10_000;

export function createTemporalEngine({ client, taskQueue, uiUrl, eagerStart }: TemporalEngineOptions): TurnEngine {
  const handleOf = (turnId: TurnId): WorkflowHandle => client.workflow.getHandle(turnWorkflowId(turnId));
  const call = <Result>(body: () => Promise<Result>, timeoutMs = callTimeoutMs): Promise<Result> =>
    withEngineErrors(() => client.withDeadline(Date.now() + timeoutMs, body));

  const endOf = async (handle: WorkflowHandle): Promise<EngineEnd> => {
    try {
      return { state: 'closed', result: (await handle.result()) as TurnResult };
    } catch (error) {
      if (error instanceof WorkflowFailedError) return toFailedEnd(error);
      throw error;
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
    start: (input) =>
      call(async () => {
        try {
          await client.workflow.start(chatTurnType, {
            workflowId: turnWorkflowId(input.turnId),
            taskQueue,
            args: [input],
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
          const { status, memo } = await handle.describe();
          const known = memo as unknown as TurnMemo;
          return status.name === 'RUNNING' ? { state: 'open', memo: known } : { memo: known, ...(await endOf(handle)) };
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
    log: (turnId, timeoutMs) =>
      call(async () => {
        try {
          return await handleOf(turnId).query<TurnLog>(logQuery);
        } catch (error) {
          if (error instanceof WorkflowNotFoundError || error instanceof QueryRejectedError) return null;
          if (error instanceof QueryNotRegisteredError) return null;
          // The server is there but no worker is: a query waits for one.
          if (isOutOfTime(error)) return null;
          throw error;
        }
      }, timeoutMs),
    heartbeat: (turnId) =>
      call(async () => {
        try {
          const { raw } = await handleOf(turnId).describe();
          const activity = raw.pendingActivities?.find((a) => a.activityType?.name === 'stream');
          const [payload] = activity?.heartbeatDetails?.payloads ?? [];
          return payload === undefined ? null : defaultPayloadConverter.fromPayload<StreamHeartbeat>(payload);
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
    ping: () => call(async () => void (await client.workflowService.getSystemInfo({})), 2_000),
  };
}

const toMemo = ({ conversationId, userId, agentId, contentSha256 }: TurnInput) => ({
  conversationId,
  userId,
  agentId,
  contentSha256,
});

function toFailedEnd({ cause }: WorkflowFailedError): EngineEnd {
  const details = cause instanceof ApplicationFailure ? cause.details : undefined;
  const result = details?.[0] as TurnResult | undefined;
  if (result?.outcome === 'failed' && Array.isArray(result.log)) return { state: 'closed', result };
  const reason =
    cause instanceof TerminatedFailure
      ? 'it was terminated from outside'
      : `it was closed from outside: ${cause?.name ?? 'unknown'}`;
  return { state: 'broken', reason, closedAt: new Date().toISOString() };
}

async function withEngineErrors<Result>(body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    // A service error that no caller above has given a meaning: the engine is away, or it refuses to serve.
    if (isGrpcServiceError(error) || isConnectionError(error))
      throw new CandorError('engine_unavailable', { cause: error });
    throw error;
  }
}

/** The client wraps what the transport threw, or passes it on. */
function isOutOfTime(error: unknown): boolean {
  const thrown = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(thrown) && [grpcCancelled, grpcDeadline].includes(thrown.code);
}

const isConnectionError = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'ServiceError' || error.name === 'TransportError');
