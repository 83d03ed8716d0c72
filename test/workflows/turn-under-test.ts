// The kit's rig under Jest: its hooks, and the shapes in which these tests speak.

import { afterAll, beforeAll, beforeEach, expect, jest } from '@jest/globals';
import type { TurnInput } from '../../src/protocol/turn.ts';
import { foundServers } from '../found-servers.ts';
import { answered, inTurn, ready, streamFailure } from '../../testing/turns/turn-fakes.ts';
import { createTurnRig, type Activities, type TurnRig, type TurnUnderTest } from '../../testing/turns/turn-rig.ts';

export type { Activities, TurnUnderTest };

interface WorkflowRig {
  readonly env: TurnRig['env'];
  start(activities?: Partial<Activities>, input?: Partial<TurnInput>): Promise<TurnUnderTest>;
  /** Starts a turn whose very first task brings this signal along. */
  startWithSignal(signal: string, payload: unknown, activities?: Partial<Activities>): Promise<TurnUnderTest>;
  /** Starts the audit of a turn that is over. */
  startAudit(activities?: Partial<Activities>, input?: Partial<TurnInput>): Promise<TurnUnderTest>;
  /** A turn that is open for two days and then goes on: its backend asked for so much patience. */
  startSleeping(): Promise<TurnUnderTest>;
}

const dayMs = 24 * 60 * 60_000;

/**
 * A rig for a test file, its hooks included. The rig is the same while its clock is free, else a new one; a test that
 * comes a second time gets a new one too.
 *
 * Time-skipping tests are tried again when they fail: the Java server counts locks on its clock, and now and then one of
 * its own races leaves a lock behind or skips a day between two tasks. The product has no such clock.
 */
export function useWorkflowRig(): WorkflowRig {
  jest.retryTimes(2, { logErrorsBeforeRetry: true });
  let rig: TurnRig;
  let lastTest: string | undefined;
  const open = (): Promise<TurnRig> => createTurnRig(foundServers());
  beforeAll(async () => {
    rig = await open();
  });
  beforeEach(async () => {
    const test = expect.getState().currentTestName;
    const isRepeat = test === lastTest;
    lastTest = test;
    if (!rig.hasStartedChild && !isRepeat) return;
    await rig.close();
    rig = await open();
  });
  afterAll(() => rig.close());
  return {
    get env() {
      return rig.env;
    },
    start: (activities = {}, input = {}) => rig.start({ activities, input }),
    startWithSignal: (name, payload, activities = {}) => rig.start({ activities, signal: { name, payload } }),
    startAudit: (activities = {}, input = {}) => rig.startAudit({ activities, input }),
    async startSleeping() {
      const activities = {
        retrieveAgent: async () => ready({ turnMs: 3 * dayMs }),
        stream: inTurn(streamFailure('llm_rate_limited', { retryAfterMs: 2 * dayMs }), answered()),
      };
      const turn = await rig.start({ activities });
      await turn.until('attempt_failed');
      return turn;
    },
  };
}
