// Turns of one conversation wait for each other by signals, never by a lock: a waiter asks (`follow`) until it is told
// (`released`) or until the engine says that nobody is there to tell it. A turn that ends answers everybody who asked,
// also those who ask while it ends.

import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  setHandler,
} from '@temporalio/workflow';
import { turnWorkflowId, type TurnId } from '../protocol/ids.ts';
import { followBackoff } from '../protocol/limits.ts';
import type { FollowSignal, InterruptSignal, ReleasedSignal } from '../protocol/turn.ts';
import { followSignal, interruptSignal, releasedSignal } from './definitions.ts';

export interface Followers {
  /**
   * Waits until `target` has ended or nobody is there. `waitFor`: it was withdrawn; wait for that turn in its place.
   * `late`: neither until `untilMs`.
   */
  waitFor(
    target: TurnId,
    interrupt: InterruptSignal | null,
    untilMs: number,
  ): Promise<{ readonly gone: boolean; readonly waitFor: TurnId | null } | 'late'>;
  /** True when no open workflow stands behind the turn. */
  isGone(target: TurnId): Promise<boolean>;
  /** Tells all followers, and from now on everybody who asks. */
  release(waitFor: TurnId | null): Promise<void>;
}

export function createFollowers(self: TurnId): Followers {
  const asked = new Set<TurnId>();
  const releases = new Map<TurnId, TurnId | null>();
  let end: { readonly waitFor: TurnId | null } | null = null;

  const tell = async (follower: TurnId, waitFor: TurnId | null): Promise<void> => {
    const signal: ReleasedSignal = { turnId: self, waitFor };
    await send(follower, () => getExternalWorkflowHandle(turnWorkflowId(follower)).signal(releasedSignal, signal));
  };
  setHandler(followSignal, async ({ turnId }: FollowSignal) => {
    if (end === null) {
      asked.add(turnId);
      return;
    }
    // Handlers run in the workflow's own scope: in a workflow that was cancelled from outside this answer would be
    // cancelled with it, and would close the workflow as cancelled before its end is told.
    const { waitFor } = end;
    await CancellationScope.nonCancellable(() => tell(turnId, waitFor));
  });
  setHandler(releasedSignal, ({ turnId, waitFor }: ReleasedSignal) => {
    releases.set(turnId, waitFor);
  });

  const follow = (target: TurnId): Promise<boolean> =>
    send(target, () => getExternalWorkflowHandle(turnWorkflowId(target)).signal(followSignal, { turnId: self }));

  return {
    async waitFor(target, interrupt, untilMs) {
      if (interrupt !== null) {
        await send(target, () => getExternalWorkflowHandle(turnWorkflowId(target)).signal(interruptSignal, interrupt));
      }
      for (
        let waitMs: number = followBackoff.initialMs;
        ;
        waitMs = Math.min(waitMs * followBackoff.factor, followBackoff.maxMs)
      ) {
        if (!(await follow(target))) return { gone: true, waitFor: null };
        const leftMs = untilMs - Date.now();
        if (leftMs <= 0) return 'late';
        if (await condition(() => releases.has(target), Math.min(waitMs, leftMs))) break;
      }
      return { gone: false, waitFor: releases.get(target) ?? null };
    },
    isGone: async (target) => !(await follow(target)),
    async release(waitFor) {
      end = { waitFor };
      await Promise.all([...asked].map((follower) => tell(follower, waitFor)));
    },
  };
}

/** False when the engine has no open workflow to signal. */
async function send(target: TurnId, signal: () => Promise<void>): Promise<boolean> {
  try {
    await signal();
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.debug('no open turn to signal', { target, reason: String(error) });
    return false;
  }
}
