/**
 * Runs one planned completion on a session and yields what happened in the API's terms, whether the answer is then
 * streamed or sent whole: text, complete tool calls, and one end with the true token counts.
 */
import type { EngineSession, GenerationStep } from './chat-engine.ts';
import type { CompletionPlan } from './completion-plan.ts';
import { createStopFilter } from './held-text.ts';
import { createToolCallReader, type ToolCall, type ToolCallReading } from './tool-calls.ts';

export type FinishReason = 'stop' | 'length' | 'tool_calls';

export type CompletionEvent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tool_call'; readonly index: number; readonly call: ToolCall }
  | { readonly kind: 'end'; readonly finishReason: FinishReason; readonly completionTokens: number };

/** `maxTokens` is what the context leaves or less. Ends without an `end` only by throwing. */
export async function* runCompletion(
  session: EngineSession,
  plan: CompletionPlan,
  maxTokens: number,
  signal: AbortSignal,
): AsyncGenerator<CompletionEvent, void> {
  const stops = createStopFilter(plan.stops);
  const reader = plan.toolNames.length > 0 ? createToolCallReader(plan.toolNames) : null;
  let calls = 0;

  const toEvents = (part: ToolCallReading): CompletionEvent[] => [
    ...(part.text === '' ? [] : [{ kind: 'text' as const, text: part.text }]),
    ...part.calls.map((call) => ({ kind: 'tool_call' as const, index: calls++, call })),
  ];
  const read = (text: string): CompletionEvent[] => toEvents(reader?.push(text) ?? { text, calls: [] });

  let last: GenerationStep = { text: '', completionTokens: 0, finish: 'stop' };
  let stopped = false;
  for await (const step of session.generate(
    { sampling: plan.sampling, maxTokens, grammarAt: plan.grammarAt },
    signal,
  )) {
    last = step;
    const passed = stops.push(step.text);
    yield* read(passed.text);
    stopped = passed.stopped;
    if (stopped) break;
  }
  const finish = stopped ? 'stop' : (last.finish ?? 'stop');
  yield* read(stops.flush());
  if (reader !== null) yield* toEvents(reader.flush(finish));
  const finishReason = finish === 'stop' && calls > 0 ? 'tool_calls' : finish;
  yield { kind: 'end', finishReason, completionTokens: last.completionTokens };
}
