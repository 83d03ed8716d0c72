// Real workflows on Temporal's time-skipping server: days pass in milliseconds and history keeps the times. Fakes stand
// at our own port only, the activities; each turn brings its own, so that one worker serves a whole test file.

import { EventEmitter, once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, jest } from '@jest/globals';
import proto from '@temporalio/proto';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { Worker, type InjectedSinks } from '@temporalio/worker';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { AuditActivities, RetrieveAgentInput, TurnActivities } from '../../src/protocol/activities.ts';
import type { SequencedEvent } from '../../src/protocol/events.ts';
import { auditWorkflowId, turnWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import { auditType, chatTurnType, searchAttributes, type TurnInput, type TurnResult } from '../../src/protocol/turn.ts';
import { createLog, installRuntime } from '../../src/run/log.ts';
import { loadWorkflowBundle } from '../../src/run/workflow-bundle.ts';
import type { EventSinks } from '../../src/workflows/event-log.ts';
import { answered, defaultActivities, inTurn, newTurn, ready, streamFailure } from './turn-fakes.ts';

export type Activities = TurnActivities & AuditActivities;
type ActivityName = keyof Activities;

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

interface WorkflowRig {
  readonly env: TestWorkflowEnvironment;
  /** The server keeps a lock on its clock for a child that was started: no time is skipped any more. */
  readonly hasStartedChild: boolean;
  start(activities?: Partial<Activities>, input?: Partial<TurnInput>): Promise<TurnUnderTest>;
  /** Starts a turn whose very first task brings this signal along. */
  startWithSignal(signal: string, payload: unknown, activities?: Partial<Activities>): Promise<TurnUnderTest>;
  /** Starts the audit of a turn that is over. */
  startAudit(activities?: Partial<Activities>, input?: Partial<TurnInput>): Promise<TurnUnderTest>;
  /** A turn that is open for two days and then goes on: its backend asked for so much patience. */
  startSleeping(): Promise<TurnUnderTest>;
  close(): Promise<void>;
}

const { INDEXED_VALUE_TYPE_KEYWORD, INDEXED_VALUE_TYPE_DOUBLE } = proto.temporal.api.enums.v1.IndexedValueType;
const attributeTypes = Object.fromEntries(
  Object.entries(searchAttributes).map(([name, type]) => [
    name,
    type === 'Keyword' ? INDEXED_VALUE_TYPE_KEYWORD : INDEXED_VALUE_TYPE_DOUBLE,
  ]),
);

interface Registered {
  readonly activities: Activities;
  readonly calls: ActivityCall[];
  readonly published: SequencedEvent[];
  readonly news: EventEmitter;
}

let isRuntimeInstalled = false;

/**
 * A rig for a test file, its hooks included. The rig is the same while its clock is free, else a new one; a test that
 * comes a second time gets a new one too.
 *
 * Time-skipping tests are tried again when they fail: the Java server counts locks on its clock, and now and then one of
 * its own races leaves a lock behind or skips a day between two tasks. The product has no such clock.
 */
export function useWorkflowRig(): Omit<WorkflowRig, 'hasStartedChild' | 'close'> {
  jest.retryTimes(2, { logErrorsBeforeRetry: true });
  let rig: WorkflowRig;
  let lastTest: string | undefined;
  beforeAll(async () => {
    rig = await startWorkflowRig();
  });
  beforeEach(async () => {
    const test = expect.getState().currentTestName;
    const isRepeat = test === lastTest;
    lastTest = test;
    if (!rig.hasStartedChild && !isRepeat) return;
    await rig.close();
    rig = await startWorkflowRig();
  });
  afterAll(() => rig.close());
  return {
    get env() {
      return rig.env;
    },
    start: (...turn) => rig.start(...turn),
    startWithSignal: (...turn) => rig.startWithSignal(...turn),
    startAudit: (...audit) => rig.startAudit(...audit),
    startSleeping: () => rig.startSleeping(),
  };
}

/** @throws Error when the tests were not started by `npm test` */
async function startWorkflowRig(): Promise<WorkflowRig> {
  const path = process.env['CANDOR_TEST_TIME_SKIPPING_SERVER'];
  const bundleDir = process.env['CANDOR_TEST_BUNDLE_DIR'];
  if (path === undefined || bundleDir === undefined) {
    throw new Error('unable to find the time-skipping server; run npm test -- <file>');
  }
  if (!isRuntimeInstalled) installRuntime(createLog('fatal', null));
  isRuntimeInstalled = true;
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path } },
  });
  // This server cannot list search attributes, so production's own check does not run on it; it takes new ones.
  await env.connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: attributeTypes });
  // The environment's own client lets the clock run whenever a result is waited for.
  const patient = new Client({ connection: env.connection });
  const turns = new Map<TurnId, Registered>();
  let hasStartedChild = false;
  const registered = (turnId: TurnId): Registered => {
    const found = turns.get(turnId);
    if (found === undefined) throw new Error(`no turn ${turnId} was started here`);
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
  const sinks: InjectedSinks<EventSinks> = {
    events: {
      publish: {
        fn: (_info, event) => {
          const { published, news } = registered(event.turnId);
          published.push(event);
          hasStartedChild ||= event.type === 'audit_started';
          news.emit('published');
        },
        callDuringReplay: false,
      },
    },
  };
  const taskQueue = 'turns-under-test';
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: await loadWorkflowBundle(bundleDir),
    activities: {
      retrieveAgent: dispatch('retrieveAgent', (input: RetrieveAgentInput) => input.turn.turnId),
      stream: dispatch('stream', (input) => input.turnId),
      signReceipt: dispatch('signReceipt', (receipt) => receipt.turnId),
      storeConversation: dispatch('storeConversation', (input) => input.turn.turnId),
      analyze: dispatch('analyze', (input) => input.turnId),
      callLlm: dispatch('callLlm', (input) => input.audit.turnId),
      enqueueRecord: dispatch('enqueueRecord', (input) => input.turnId),
    },
    sinks,
    maxHeartbeatThrottleInterval: '100ms',
    defaultHeartbeatThrottleInterval: '100ms',
    shutdownForceTime: '5s',
  });
  const running = worker.run();

  const register = (input: TurnInput, activities: Partial<Activities>): Registered => {
    const turn: Registered = {
      activities: { ...defaultActivities, ...activities },
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

  const start: WorkflowRig['start'] = async (activities = {}, overrides = {}) => {
    const input = newTurn(overrides);
    const turn = register(input, activities);
    const workflowId = turnWorkflowId(input.turnId);
    const handle = await env.client.workflow.start(chatTurnType, { workflowId, taskQueue, args: [input] });
    return toTurn(input, handle, turn);
  };

  return {
    env,
    get hasStartedChild() {
      return hasStartedChild;
    },
    start,
    async startWithSignal(signal, payload, activities = {}) {
      const input = newTurn();
      const turn = register(input, activities);
      const handle = await env.client.workflow.signalWithStart(chatTurnType, {
        workflowId: turnWorkflowId(input.turnId),
        taskQueue,
        args: [input],
        signal,
        signalArgs: [payload],
      });
      return toTurn(input, handle, turn);
    },
    async startAudit(activities = {}, overrides = {}) {
      const input = newTurn(overrides);
      const { turnId, conversationId, userId, agentId } = input;
      const turn = register(input, activities);
      const auditId = auditWorkflowId(turnId);
      const args = [{ auditId, turnId, conversationId, userId, agentId }];
      const handle = await env.client.workflow.start(auditType, { workflowId: auditId, taskQueue, args });
      return toTurn(input, handle, turn);
    },
    async startSleeping() {
      const dayMs = 24 * 60 * 60_000;
      const turn = await start({
        retrieveAgent: async () => ready({ turnMs: 3 * dayMs }),
        stream: inTurn(streamFailure('llm_rate_limited', { retryAfterMs: 2 * dayMs }), answered()),
      });
      await turn.until('attempt_failed');
      return turn;
    },
    async close() {
      worker.shutdown();
      await running;
      await env.teardown();
    },
  };
}
