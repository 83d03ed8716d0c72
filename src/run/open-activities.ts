// What workers hold of the open turns and audits of a task queue, and how it is taken from a dead one: the activity is
// failed by its id, in the engine, with what its last heartbeat said. Somebody else may have been quicker, or the
// activity may have ended: then there is nothing to do.

import { ActivityNotFoundError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import type { StreamHeartbeat } from '../protocol/activities.ts';
import { toErrorInfo } from '../protocol/errors.ts';
import { toLostStream } from '../protocol/lost-worker.ts';
import { auditType, chatTurnType } from '../protocol/turn.ts';

export interface OpenActivity {
  readonly workflowId: string;
  readonly runId: string;
  readonly activityId: string;
  /** Name of the activity. */
  readonly type: string;
  /** Identity of the worker that holds it. */
  readonly worker: string;
  /** As the activity gave it; absent before the first one. */
  readonly heartbeat: unknown;
}

export interface OpenActivities {
  /** All that a worker has begun and not ended. @throws what the engine's client throws */
  list(): Promise<readonly OpenActivity[]>;
  /**
   * The engine tries it again by its policy, a model call by its workflow; at once, and on any worker. False: it was over.
   */
  fail(activity: OpenActivity): Promise<boolean>;
}

/** `PENDING_ACTIVITY_STATE_STARTED`, `…_CANCEL_REQUESTED`: in a worker's hands. */
const held = [2, 3];
const callTimeoutMs = 5_000;
const atOnce = 16;

export function createOpenActivities(client: Client, taskQueue: string): OpenActivities {
  const { namespace } = client.options;
  const within = <Result>(body: () => Promise<Result>): Promise<Result> =>
    client.withDeadline(Date.now() + callTimeoutMs, body);
  const types = [chatTurnType, auditType].map((type) => `WorkflowType = '${type}'`).join(' OR ');
  const query = `TaskQueue = '${taskQueue.replaceAll("'", "''")}' AND ExecutionStatus = 'Running' AND (${types})`;

  const describe = async (workflowId: string, runId: string): Promise<readonly OpenActivity[]> => {
    try {
      const { raw } = await within(() => client.workflow.getHandle(workflowId, runId).describe());
      return (raw.pendingActivities ?? []).flatMap((pending) => {
        const { activityId, activityType, lastWorkerIdentity: worker, state, heartbeatDetails } = pending;
        if (activityId == null || worker == null || worker === '' || !held.includes(Number(state))) return [];
        const [payload] = heartbeatDetails?.payloads ?? [];
        const heartbeat = payload === undefined ? undefined : defaultPayloadConverter.fromPayload<unknown>(payload);
        return [{ workflowId, runId, activityId, type: activityType?.name ?? '', worker, heartbeat }];
      });
    } catch (error) {
      // Closed and forgotten since it was listed.
      if (error instanceof WorkflowNotFoundError) return [];
      throw error;
    }
  };

  return {
    async list() {
      const open = await within(async () => {
        const listed: { readonly workflowId: string; readonly runId: string }[] = [];
        for await (const { workflowId, runId } of client.workflow.list({ query })) listed.push({ workflowId, runId });
        return listed;
      });
      const found: OpenActivity[] = [];
      for (let first = 0; first < open.length; first += atOnce) {
        const some = open.slice(first, first + atOnce);
        found.push(...(await Promise.all(some.map((w) => describe(w.workflowId, w.runId)))).flat());
      }
      return found;
    },
    async fail({ workflowId, runId, activityId, type, heartbeat }) {
      const detail = type === 'stream' ? toLostStream(heartbeat as StreamHeartbeat | undefined) : null;
      const error = detail?.error ?? toErrorInfo('worker_lost');
      const failure = ApplicationFailure.create({
        message: error.message,
        type: error.code,
        details: [detail ?? error],
        // The process died, not what it called: nothing is gained by waiting.
        nextRetryDelay: 1,
      });
      try {
        // The workflow's next task would wait for the dead worker, which had the workflow in its memory.
        await within(() =>
          client.workflowService.resetStickyTaskQueue({ namespace, execution: { workflowId, runId } }),
        );
        await within(() => client.activity.fail({ workflowId, runId, activityId }, failure));
        return true;
      } catch (error) {
        if (error instanceof ActivityNotFoundError || isNotFound(error)) return false;
        throw error;
      }
    },
  };
}

/** gRPC status NOT_FOUND, as the service itself throws it. */
const isNotFound = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 5;
