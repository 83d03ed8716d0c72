// A turn of a conversation, as the specification tells it: accept, retrieve the agent, wait for the conversation,
// stream the model's reply, close. Orchestration only: what is decided here is decided by the named functions beside it,
// and what touches the world is an activity.

import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  proxyActivities,
  proxySinks,
  setHandler,
  sleep,
  type Sinks,
} from '@temporalio/workflow';
import type { TurnActivities } from '../protocol/activities.ts';
import { toErrorInfo } from '../protocol/errors.ts';
import type { TurnId } from '../protocol/ids.ts';
import { maxQueueWaitMs } from '../protocol/limits.ts';
import { withSupport } from '../protocol/tiers.ts';
import type { TurnInput, TurnResult } from '../protocol/turn.ts';
import { activityOptions } from './activity-options.ts';
import { closeTurn } from './close-turn.ts';
import { logQuery, stepTextsQuery } from './definitions.ts';
import { createEventLog } from './event-log.ts';
import { toFailure, toStreamFailure, toTurnError } from './failures.ts';
import { createFollowers } from './followers.ts';
import { createLedger, toStreamSummary } from './receipt.ts';
import { nextRetryMs } from './retry-schedule.ts';
import { createStop } from './stop.ts';
import { now, type End, type Ready, type Turn } from './turn-state.ts';

const { retrieveAgent } = proxyActivities<TurnActivities>(activityOptions.retrieveAgent);
const { stream } = proxyActivities<TurnActivities>(activityOptions.stream);

/** Tells this worker what its first step will read, so that it may begin before the step has come to it. Nothing waits. */
export interface AheadSinks extends Sinks {
  readonly ahead: { begin(turn: TurnInput): void };
}
const { ahead } = proxySinks<AheadSinks>();

export async function ChatTurn(input: TurnInput): Promise<TurnResult> {
  const turn: Turn = {
    input,
    log: createEventLog(input, now),
    ledger: createLedger(input),
    stop: createStop(now),
    followers: createFollowers(input.turnId),
    waitsFor: null,
    support: null,
  };
  setHandler(logQuery, () => ({ log: turn.log.events, texts: turn.ledger.texts }));
  setHandler(stepTextsQuery, () => turn.ledger.texts);

  const { agentId, text, parentTurnId } = input;
  turn.log.emit({ type: 'turn_accepted', agentId, text, ...(parentTurnId === null ? {} : { parentTurnId }) });
  ahead.begin(input);
  const end = (await turn.stop.run(() => work(turn))) ?? ({ kind: 'stopped', reply: null } as const);
  return CancellationScope.nonCancellable(() => closeTurn(turn, end));
}

async function work(turn: Turn): Promise<End> {
  const ready = await retrieve(turn);
  if (ready.kind !== 'ready') return ready;
  try {
    return await answer(turn, ready);
  } catch (thrown) {
    // The log's own limit: it ends the turn as a failure of it. A bug is not caught, it retries the workflow task.
    if (!(thrown instanceof ApplicationFailure)) throw thrown;
    return { kind: 'failed', error: withSupport(toTurnError(thrown), turn.support), linked: true };
  }
}

/** Retrieves the agent, waiting as long as the conversation is busy with earlier turns. */
async function retrieve(turn: Turn): Promise<Ready | End> {
  let released: TurnId | null = null;
  let releasedIsGone = false;
  const untilMs = Date.now() + maxQueueWaitMs;
  try {
    for (;;) {
      const retrieved = await retrieveAgent.executeWithOptions(
        { ...activityOptions.retrieveAgent, summary: `agent ${turn.input.agentId}` },
        [{ turn: turn.input, released, releasedIsGone }],
      );
      if (retrieved.kind === 'finished') return retrieved;
      // Asked to stop while the graph was at it: nothing that follows has begun.
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('stopped while retrieving');
      if (retrieved.kind === 'ready') return retrieved;
      if (turn.input.busy === 'reject') {
        // The graph's head is a hint: only a turn that the engine knows as open makes the conversation busy.
        if (!(await turn.followers.isGone(retrieved.behind))) {
          return { kind: 'failed', error: toErrorInfo('conversation_busy'), linked: false };
        }
        [released, releasedIsGone] = [retrieved.behind, true];
      } else {
        [released, releasedIsGone] = await waitForRelease(turn, retrieved.behind, untilMs);
      }
    }
  } catch (thrown) {
    if (CancellationScope.current().consideredCancelled) throw thrown;
    const error = toTurnError(thrown);
    return { kind: 'failed', error, linked: !neverLinked.has(error.code) };
  }
}

/** Failures of linking itself: the turn is not part of the conversation and leaves nothing in it. */
const neverLinked = new Set<string>(['conversation_not_found', 'turn_not_found', 'turn_conflict', 'conversation_busy']);

async function waitForRelease(turn: Turn, behind: TurnId, untilMs: number): Promise<[TurnId, boolean]> {
  const { input, followers, log, stop } = turn;
  const interrupt = input.busy === 'interrupt' ? { byTurnId: input.turnId, requestedAt: now() } : null;
  stop.enter('queued');
  for (let target = behind; ;) {
    turn.waitsFor = target;
    log.emit({ type: 'turn_queued', behind: target });
    const end = await followers.waitFor(target, interrupt, untilMs);
    if (end === 'late') throw toFailure(toErrorInfo('turn_timeout', { facts: { seconds: maxQueueWaitMs / 1_000 } }));
    if (end.waitFor === null) {
      turn.waitsFor = null;
      stop.enter('working');
      return [target, end.gone];
    }
    target = end.waitFor;
  }
}

/** A call that begins just before the deadline may still say what it has to say. */
const minCallMs = 1_000;

/** Calls the model until it answers, a person stops it, or its tries are used up. */
async function answer(turn: Turn, { plan, promptSha256, context, ...ready }: Ready): Promise<End> {
  const { input, log, ledger, stop } = turn;
  const { turnId, conversationId } = input;
  const { agentId, model, temperature, maxTokens, timeouts, maxAttempts } = plan;
  turn.support = plan.support ?? null;
  ledger.agentReady({ plan, promptSha256, context, ...ready });
  log.emit({ type: 'agent_started', agentId, model, context });
  const step = 1;
  let deadline = Date.now() + plan.turnMs;
  for (let attempt = 1; ; attempt++) {
    const after = log.emit({ type: 'agent_thinking', agentId, step, attempt, maxAttempts, model });
    try {
      const reply = await stream.executeWithOptions(
        { ...activityOptions.stream, summary: toStreamSummary(plan, step, attempt) },
        [
          {
            turnId,
            conversationId,
            agentId,
            step,
            attempt,
            after,
            promptSha256,
            model,
            temperature,
            maxTokens,
            timeouts,
            remainingMs: Math.max(minCallMs, deadline - Date.now()),
          },
        ],
      );
      ledger.answered(step, attempt, reply);
      if (reply.outcome === 'stopped') return { kind: 'stopped', reply };
      const { text, reasoning, finishReason, incomplete, citations, unsupported, usage, sha256 } = reply;
      log.emit({
        type: 'agent_completed',
        ...{ agentId, step, attempt, text, incomplete, citations, unsupported, usage, sha256 },
        // A reader whose lane has lost the end of the reasoning sees it by this.
        ...(reasoning === '' ? {} : { reasoningChars: reasoning.length }),
        finishReason: finishReason ?? 'unknown',
      });
      return { kind: 'answered', reply };
    } catch (thrown) {
      const failure = toStreamFailure(thrown);
      const error = withSupport({ ...failure.error, attempt }, turn.support);
      const discarded = { discardedChars: failure.shownChars, ...(failure.atLeast ? { atLeast: true as const } : {}) };
      if (stop.asked !== null || CancellationScope.current().consideredCancelled) {
        if (!isCancellation(thrown)) {
          // A call that broke while it was being stopped was made all the same: the receipt lists it, and what it showed
          // is withdrawn, because nobody has it to store.
          ledger.failed(step, attempt, failure);
          if (failure.shownChars > 0 || failure.atLeast) {
            log.emit({ type: 'agent_failed', agentId, step, attempt, ...discarded, error });
          }
        }
        throw thrown;
      }
      ledger.failed(step, attempt, failure);
      deadline += failure.loadingMs;
      const waitMs = nextRetryMs({
        error,
        attempt,
        maxAttempts,
        remainingMs: deadline - Date.now(),
        random: Math.random(),
      });
      if (waitMs === null) {
        log.emit({ type: 'agent_failed', agentId, step, attempt, ...discarded, error });
        return { kind: 'failed', error, linked: true };
      }
      const retryAt = new Date(Date.now() + waitMs).toISOString();
      log.emit({ type: 'attempt_failed', agentId, step, attempt, maxAttempts, error, retryAt, ...discarded });
      if (waitMs > 0) await sleep(waitMs, { summary: `wait before try ${attempt + 1}` });
    }
  }
}
