/**
 * The bodies of OpenAI's chat completion API, built from completion events: one object, or server-sent events that end
 * with `[DONE]`. A stream that fails half-way says so in an error event and has no `[DONE]`.
 */
import type { CompletionEvent } from './completion.ts';
import type { OpenAiErrorBody } from './openai-error.ts';
import type { ToolCall } from './tool-calls.ts';

/** What is the same in every chunk of one answer; `newCallId` names each tool call. */
export type CompletionIdentity = {
  readonly id: string;
  /** Unix time in seconds. */
  readonly created: number;
  readonly model: string;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly newCallId: () => string;
};

function toUsage(identity: CompletionIdentity, completionTokens: number): object {
  return {
    prompt_tokens: identity.promptTokens,
    completion_tokens: completionTokens,
    total_tokens: identity.promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: identity.cachedTokens },
  };
}

function toCallBody(call: ToolCall, identity: CompletionIdentity): object {
  return { id: identity.newCallId(), type: 'function', function: { name: call.name, arguments: call.argumentsJson } };
}

export async function collectCompletion(
  events: AsyncIterable<CompletionEvent>,
  identity: CompletionIdentity,
): Promise<object> {
  let content = '';
  const calls: object[] = [];
  for await (const event of events) {
    if (event.kind === 'text') content += event.text;
    else if (event.kind === 'tool_call') calls.push(toCallBody(event.call, identity));
    else {
      const message = {
        role: 'assistant',
        content: content === '' && calls.length > 0 ? null : content,
        refusal: null,
        ...(calls.length > 0 ? { tool_calls: calls } : {}),
      };
      return {
        id: identity.id,
        object: 'chat.completion',
        created: identity.created,
        model: identity.model,
        choices: [{ index: 0, message, logprobs: null, finish_reason: event.finishReason }],
        usage: toUsage(identity, event.completionTokens),
      };
    }
  }
  throw new Error('unable to build a completion; the generation ended without saying why');
}

export async function* streamCompletion(
  events: AsyncIterable<CompletionEvent>,
  identity: CompletionIdentity,
  options: { readonly includeUsage: boolean; readonly toErrorBody: (error: unknown) => OpenAiErrorBody },
): AsyncGenerator<string, void> {
  const toChunk = (choices: readonly object[], usage: object | null = null): string =>
    toServerSentEvent({
      id: identity.id,
      object: 'chat.completion.chunk',
      created: identity.created,
      model: identity.model,
      choices,
      ...(options.includeUsage ? { usage } : {}),
    });
  const toDelta = (delta: object, finishReason: string | null = null): string =>
    toChunk([{ index: 0, delta, logprobs: null, finish_reason: finishReason }]);

  try {
    yield toDelta({ role: 'assistant', content: '' });
    for await (const event of events) {
      if (event.kind === 'text') yield toDelta({ content: event.text });
      else if (event.kind === 'tool_call') {
        yield toDelta({ tool_calls: [{ index: event.index, ...toCallBody(event.call, identity) }] });
      } else {
        yield toDelta({}, event.finishReason);
        if (options.includeUsage) yield toChunk([], toUsage(identity, event.completionTokens));
      }
    }
    yield 'data: [DONE]\n\n';
  } catch (error) {
    yield toServerSentEvent(options.toErrorBody(error));
  }
}

function toServerSentEvent(body: object): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}
