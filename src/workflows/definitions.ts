// Signals and queries of a turn, typed once for handlers and senders inside the sandbox.

import { defineQuery, defineSignal } from '@temporalio/workflow';
import {
  logQuery as logQueryName,
  signals,
  stepTextsQuery as stepTextsQueryName,
  type CancelSignal,
  type FollowSignal,
  type InterruptSignal,
  type ReleasedSignal,
  type StepText,
  type TurnLog,
} from '../protocol/turn.ts';

export const cancelSignal = defineSignal<[CancelSignal]>(signals.cancel);
export const withdrawSignal = defineSignal<[CancelSignal]>(signals.withdraw);
export const interruptSignal = defineSignal<[InterruptSignal]>(signals.interrupt);
export const followSignal = defineSignal<[FollowSignal]>(signals.follow);
export const releasedSignal = defineSignal<[ReleasedSignal]>(signals.released);
export const logQuery = defineQuery<TurnLog>(logQueryName);
export const stepTextsQuery = defineQuery<readonly StepText[]>(stepTextsQueryName);
