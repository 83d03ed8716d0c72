// One model call. Text goes to the live lane at once, never into history before it is whole; a timer heartbeats what has
// come, so that a reader who arrives late, or a worker's death, finds it. Asked to stop, it closes the connection and
// returns what it has: a stop is an outcome, not a failure.

import { Context } from '@temporalio/activity';
import type { StreamFailure, StreamHeartbeat, StreamInput, StreamResult } from '../protocol/activities.ts';
import { CandorError } from '../protocol/errors.ts';
import type { Channel, WaitingReason } from '../protocol/events.ts';
import type { LanguageModel, LiveLane, ModelChunk, ModelReadiness } from '../protocol/ports.ts';
import { unknownUsage } from '../protocol/receipt.ts';
import { findCitations } from './citations.ts';
import { toFailure } from './failures.ts';
import { awaitModel } from './model-readiness.ts';
import { sha256 } from './prompt.ts';
import { readPrompt, type PromptSources } from './read-prompt.ts';

export interface StreamDependencies extends PromptSources {
  readonly model: LanguageModel;
  readonly readiness: ModelReadiness;
  readonly lane: LiveLane;
}

const heartbeatMs = 1_000;

type Finish = Extract<ModelChunk, { kind: 'finish' }>;

export function createStream({ graph, handedOver, model, readiness, lane }: StreamDependencies) {
  return async (input: StreamInput): Promise<StreamResult> => {
    const context = Context.current();
    const call = createCall(input, lane);
    const stopped = new AbortController();
    const late = new AbortController();
    let deadline: NodeJS.Timeout | undefined;
    let isCalled = false;
    const stop = (): void => stopped.abort();
    const endStop = lane.onStop(input.turnId, (requestedAt) => {
      call.stopRequested(requestedAt);
      stop();
    });
    context.cancellationSignal.addEventListener('abort', stop, { once: true });
    const timer = setInterval(() => context.heartbeat(call.heartbeat()), heartbeatMs);
    context.heartbeat(call.heartbeat());
    try {
      const beganMs = Date.now();
      const prompt = await readPrompt({ graph, handedOver }, input, stopped.signal, (since) =>
        call.waits('graph', since),
      );
      const remainingMs = Math.max(0, input.remainingMs - (Date.now() - beganMs));
      call.loadingMs = await awaitModel(
        readiness,
        { name: input.model, backend: model.backend },
        stopped.signal,
        (since) => {
          call.loading = true;
          call.waits('model_loading', since);
        },
      );
      call.loading = false;
      const { model: name, temperature, maxTokens, timeouts } = input;
      const request = { model: name, messages: prompt.messages, temperature, maxTokens, timeouts };
      // A stream that never falls silent must end all the same: with the turn.
      deadline = setTimeout(() => late.abort(), remainingMs);
      isCalled = true;
      for await (const chunk of model.stream(request, AbortSignal.any([stopped.signal, late.signal]))) {
        if (chunk.kind === 'text') call.text(chunk.channel, chunk.text);
        else call.finish(chunk);
      }
      return call.toResult('answered', model.backend, prompt.context, null);
    } catch (error) {
      if (!stopped.signal.aborted) {
        const failure = late.signal.aborted ? toLate(input, model.backend, error) : error;
        throw toFailure(failure, call.toFailure(failure, model.backend));
      }
      // A worker that shuts down did not get its stop from a person: another worker has to take the call over.
      if (context.cancellationDetails?.workerShutdown === true && !call.wasAsked) {
        const lost = new CandorError('worker_lost', { cause: error });
        throw toFailure(lost, call.toFailure(lost, model.backend));
      }
      // Stopped before the model was called: there was no connection that could be closed.
      return call.toResult('stopped', model.backend, [], isCalled ? new Date().toISOString() : null);
    } finally {
      clearInterval(timer);
      clearTimeout(deadline);
      endStop();
      context.cancellationSignal.removeEventListener('abort', stop);
    }
  };
}

function toLate({ model, remainingMs }: StreamInput, backend: string, cause: unknown): CandorError {
  const facts = { model, backend, what: 'no end of its answer', seconds: Math.round(remainingMs / 1_000) };
  return new CandorError('llm_timeout', { facts, cause });
}

/** The state of one call: its text by channel, and when it came. */
function createCall(input: StreamInput, lane: LiveLane) {
  const { turnId, conversationId, agentId, step, attempt, after } = input;
  const texts: Record<Channel, string> = { answer: '', reasoning: '' };
  const arrivals: { readonly atMs: number; readonly chars: number }[] = [];
  let finish: Finish | null = null;
  let stopRequestedAt: string | null = null;

  return {
    loading: false,
    loadingMs: 0,
    get wasAsked() {
      return stopRequestedAt !== null;
    },
    stopRequested(requestedAt: string) {
      stopRequestedAt ??= requestedAt;
    },
    waits(reason: WaitingReason, since: string) {
      lane.publish({ type: 'waiting', turnId, conversationId, time: new Date().toISOString(), reason, since });
    },
    text(channel: Channel, text: string) {
      const offset = texts[channel].length;
      texts[channel] += text;
      const now = new Date();
      arrivals.push({ atMs: now.getTime(), chars: text.length });
      const time = now.toISOString();
      lane.publish({
        type: 'delta',
        conversationId,
        turnId,
        time,
        agentId,
        step,
        attempt,
        channel,
        offset,
        text,
        after,
      });
    },
    finish(chunk: Finish) {
      finish = chunk;
    },
    heartbeat(): StreamHeartbeat {
      return { step, attempt, after, ...texts, loading: this.loading };
    },
    toFailure(error: unknown, backend: string): StreamFailure | undefined {
      if (!(error instanceof CandorError)) return undefined;
      return {
        error: error.info,
        shownChars: texts.answer.length + texts.reasoning.length,
        loadingMs: this.loadingMs,
        responseId: finish?.responseId ?? null,
        finishReason: finish?.finishReason ?? null,
        usage: finish?.usage ?? unknownUsage,
        backend,
      };
    },
    toResult(
      outcome: StreamResult['outcome'],
      backend: string,
      context: Parameters<typeof findCitations>[1],
      upstreamClosedAt: string | null,
    ): StreamResult {
      const text = texts.answer;
      const requestedMs = stopRequestedAt === null ? null : Date.parse(stopRequestedAt);
      return {
        text,
        reasoning: texts.reasoning,
        sha256: sha256(text),
        outcome,
        finishReason: finish?.finishReason ?? null,
        incomplete: outcome === 'stopped' || finish?.finishReason === 'length',
        usage: finish?.usage ?? unknownUsage,
        responseId: finish?.responseId ?? null,
        model: finish?.model ?? null,
        backend,
        upstreamClosedAt,
        charsAfterStop:
          requestedMs === null || upstreamClosedAt === null
            ? null
            : arrivals.filter((a) => a.atMs > requestedMs).reduce((sum, a) => sum + a.chars, 0),
        ...findCitations(text, context),
      };
    },
  };
}
