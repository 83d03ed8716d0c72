// Which behaviour a call gets. One named for the n-th call goes first, then the queue, then the standing one.

import type { Behaviour } from './behaviours.ts';
import type { ChatBody } from './call-log.ts';

/** A standing behaviour, or one that depends on the ordinal of the call within its script (from 1) and its body. */
export type Standing = Behaviour | ((nth: number, body: ChatBody) => Behaviour);

export interface Script {
  /** For the next calls, one each. */
  enqueue(...behaviours: readonly Behaviour[]): void;
  /** For the n-th call of this script, from 1. */
  onCall(nth: number, behaviour: Behaviour): void;
  /** For every call that nothing else was said about. */
  always(standing: Standing): void;
}

export interface ScriptedCalls extends Script {
  /** `null`: nothing was said about this call. */
  take(body: ChatBody): { readonly nth: number; readonly behaviour: Behaviour | null };
}

export function createScript(initial: Standing | null): ScriptedCalls {
  const queue: Behaviour[] = [];
  const named = new Map<number, Behaviour>();
  let standing = initial;
  let count = 0;
  return {
    enqueue: (...behaviours) => void queue.push(...behaviours),
    onCall: (nth, behaviour) => void named.set(nth, behaviour),
    always(next) {
      standing = next;
    },
    take(body) {
      count += 1;
      const chosen = named.get(count) ?? queue.shift() ?? standing;
      return { nth: count, behaviour: typeof chosen === 'function' ? chosen(count, body) : chosen };
    },
  };
}
