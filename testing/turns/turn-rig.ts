// Real turns on Temporal's time-skipping server: days pass in milliseconds and history keeps the times. Fakes stand at
// Candor's own port only, the activities; each turn brings its own, so that one worker serves many.

import { EventEmitter, once } from 'node:events';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { AuditActivities, RetrieveAgentInput, TurnActivities } from '../../src/protocol/activities.ts';
import type { SequencedEvent } from '../../src/protocol/events.ts';
import { auditWorkflowId, turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import type { AgentDefinition } from '../../src/protocol/ports.ts';
import { auditType, chatTurnType, type TurnInput, type TurnResult } from '../../src/protocol/turn.ts';
import { loadWorkflowBundle } from '../../src/run/workflow-bundle.ts';
import { locateTimeSkipping, type TimeSkipping } from '../servers/time-skipping.ts';
import { useTestRuntime } from '../temporal-runtime.ts';
import { playModel, type ModelScript } from './model-script.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { defaultActivities, newTurn, readyFor } from './turn-fakes.ts';

export type Activities = TurnActivities & AuditActivities;
export type ActivityName = keyof Activities;

export interface ActivityCall {
  readonly name: ActivityName;
  readonly input: unknown;
}

export interface TurnUnderTest {
  readonly input: TurnInput;
  /** Its `result` skips time while it waits. */
  readonly handle: WorkflowHandle;
  /** The result, waited for in real time: no timer overtakes what other turns are doing meanwhile. */
  end(): Promise<TurnResult>;
  /** Every call of an activity that was made for this turn, its audit included, in order. */
  readonly calls: readonly ActivityCall[];
  /** What the sink was told, in order. */
  readonly published: readonly SequencedEvent[];
  callsOf(name: ActivityName): readonly ActivityCall[];
  /** Resolves with the first event of this type that the sink is told, past or to come. */
  until(type: SequencedEvent['type']): Promise<SequencedEvent>;
}

export interface TurnSetup {
  /** Whose settings count: tries, deadlines, time-outs; `loadAgent` reads a file. Absent: the defaults. */
  readonly agent?: AgentDefinition;
  /** What the model does at each call; absent: it answers. */
  readonly model?: ModelScript;
  /** What the other activities do; one named here goes before `agent` and `model`. */
  readonly activities?: Partial<Activities>;
  readonly input?: Partial<TurnInput>;
  /** Comes with the workflow's very first task. */
  readonly signal?: { readonly name: string; readonly payload: unknown };
}

export interface TurnRig {
  readonly env: TestWorkflowEnvironment;
  /** The server keeps a lock on its clock for a child that was started, an audit: no time is skipped any more. */
  readonly hasStartedChild: boolean;
  start(setup?: TurnSetup): Promise<TurnUnderTest>;
  /** Starts the audit of a turn that is over. */
  startAudit(setup?: Pick<TurnSetup, 'activities' | 'input'>): Promise<TurnUnderTest>;
  close(): Promise<void>;
}

interface Registered {
  readonly activities: Activities;
  readonly calls: ActivityCall[];
  readonly published: SequencedEvent[];
  readonly news: EventEmitter;
}

const taskQueue = 'turns-under-test';

/**
 * Starts a time-skipping server and a worker with the real workflows.
 *
 * @param timeSkipping absent: the run's, else found or fetched once
 * @throws PartError when the server cannot be had
 */
export async function createTurnRig(timeSkipping?: TimeSkipping): Promise<TurnRig> {
  useTestRuntime();
  const servers = timeSkipping ?? (await locateTimeSkipping());
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: servers.timeSkippingServer } },
  });
  await registerSearchAttributes(env.connection);
  // The environment's own client lets the clock run whenever a result is waited for.
  const patient = new Client({ connection: env.connection });
  const turns = new Map<TurnId, Registered>();
  let hasStartedChild = false;
  const registered = (turnId: TurnId): Registered => {
    const found = turns.get(turnId);
    if (found === undefined) throw new Error(`unable to play turn ${turnId}; it was not started by this rig`);
    return found;
  };
  const dispatch =
    <Name extends ActivityName>(name: Name, turnIdOf: (input: Parameters<Activities[Name]>[0]) => TurnId) =>
    (input: Parameters<Activities[Name]>[0]): ReturnType<Activities[Name]> => {
      const { activities, calls } = registered(turnIdOf(input));
      calls.push({ name, input });
      const activity = activities[name] as (input: Parameters<Activities[Name]>[0]) => ReturnType<Activities[Name]>;
      return activity(input);
    };
  const publish = (event: SequencedEvent): void => {
    const { published, news } = registered(event.turnId);
    published.push(event);
    hasStartedChild ||= event.type === 'audit_started';
    news.emit('published');
  };
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: await loadWorkflowBundle(servers.bundleDir),
    activities: {
      retrieveAgent: dispatch('retrieveAgent', (input: RetrieveAgentInput) => input.turn.turnId),
      stream: dispatch('stream', (input) => input.turnId),
      signReceipt: dispatch('signReceipt', (receipt) => receipt.turnId),
      storeConversation: dispatch('storeConversation', (input) => input.turn.turnId),
      analyze: dispatch('analyze', (input) => input.turnId),
      callLlm: dispatch('callLlm', (input) => input.audit.turnId),
      enqueueRecord: dispatch('enqueueRecord', (input) => input.turnId),
    },
    sinks: {
      events: { publish: { fn: (_info: unknown, event: SequencedEvent) => publish(event), callDuringReplay: false } },
      // Activities are played here: they read nothing.
      ahead: { begin: { fn: () => undefined, callDuringReplay: false } },
    },
    maxHeartbeatThrottleInterval: '100ms',
    defaultHeartbeatThrottleInterval: '100ms',
    shutdownForceTime: '5s',
  });
  const running = worker.run();

  const register = (input: TurnInput, { agent, model, activities }: TurnSetup): Registered => {
    const turn: Registered = {
      activities: {
        ...defaultActivities,
        ...(agent === undefined ? {} : { retrieveAgent: async () => readyFor(agent) }),
        ...(model === undefined ? {} : { stream: playModel(model, () => env.currentTimeMs()) }),
        ...activities,
      },
      calls: [],
      published: [],
      news: new EventEmitter(),
    };
    turns.set(input.turnId, turn);
    return turn;
  };
  const toTurn = (input: TurnInput, handle: WorkflowHandle, { calls, published, news }: Registered): TurnUnderTest => ({
    input,
    handle,
    end: () => patient.workflow.getHandle(handle.workflowId).result() as Promise<TurnResult>,
    calls,
    published,
    callsOf: (name) => calls.filter((call) => call.name === name),
    async until(type) {
      for (;;) {
        const found = published.find((event) => event.type === type);
        if (found !== undefined) return found;
        await once(news, 'published');
      }
    },
  });

  return {
    env,
    get hasStartedChild() {
      return hasStartedChild;
    },
    async start(setup = {}) {
      const input = newTurn({ ...(setup.agent === undefined ? {} : { agentId: setup.agent.id }), ...setup.input });
      const turn = register(input, setup);
      const options = { workflowId: turnWorkflowId(input.turnId), taskQueue, args: [input] };
      const { signal } = setup;
      const handle =
        signal === undefined
          ? await env.client.workflow.start(chatTurnType, options)
          : await env.client.workflow.signalWithStart(chatTurnType, {
              ...options,
              signal: signal.name,
              signalArgs: [signal.payload],
            });
      return toTurn(input, handle, turn);
    },
    async startAudit(setup = {}) {
      const input = newTurn(setup.input);
      const { turnId, conversationId, userId, agentId } = input;
      const turn = register(input, setup);
      const auditId = auditWorkflowId(turnId);
      const args = [{ auditId, turnId, conversationId, userId, agentId }];
      const handle = await env.client.workflow.start(auditType, { workflowId: auditId, taskQueue, args });
      return toTurn(input, handle, turn);
    },
    async close() {
      worker.shutdown();
      await running;
      await env.teardown();
    },
  };
}
