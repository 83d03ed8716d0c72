/**
 * Turns a valid request into everything the engine needs: prompt, sampling, limits and the grammar to obey. Pure, so
 * that each rule of the API is tested without a model.
 */
import type { GenerationRequest, Grammar, Sampling } from './chat-engine.ts';
import { renderChat, type Segment } from './chat-template.ts';
import { ANY_OBJECT_RULES, compileJsonSchema, type JsonRules } from './json-grammar.ts';
import type { ChatRequest, ChatTool } from './request-schema.ts';
import { createToolGrammar } from './tool-calls.ts';

export type CompletionPlan = {
  readonly segments: readonly Segment[];
  readonly sampling: Sampling;
  /** `null`: as many as the context holds. */
  readonly maxTokens: number | null;
  readonly grammarAt: GenerationRequest['grammarAt'];
  readonly stops: readonly string[];
  /** Tools the model may call; empty: its whole output is text. */
  readonly toolNames: readonly string[];
};

/** The settings its makers publish for Qwen2.5; used where a request is silent. */
const MODEL_DEFAULTS = { temperature: 0.7, topP: 0.8, topK: 20, repeatPenalty: 1.05 };

/** Throws a `Refusal` (400) for a schema that no grammar expresses. `seed` is used where the request has none. */
export function planCompletion(request: ChatRequest, seed: number): CompletionPlan {
  const tools = request.tool_choice === 'none' ? [] : (request.tools ?? []);
  return {
    segments: renderChat(request.messages, tools),
    sampling: {
      temperature: request.temperature ?? MODEL_DEFAULTS.temperature,
      topP: request.top_p ?? MODEL_DEFAULTS.topP,
      topK: MODEL_DEFAULTS.topK,
      // The library takes 32 bits.
      seed: (request.seed ?? seed) >>> 0,
      repeatPenalty: MODEL_DEFAULTS.repeatPenalty,
      frequencyPenalty: request.frequency_penalty ?? 0,
      presencePenalty: request.presence_penalty ?? 0,
    },
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? null,
    grammarAt: tools.length > 0 ? planToolGrammar(request, tools) : planFormat(request),
    stops: typeof request.stop === 'string' ? [request.stop] : (request.stop ?? []),
    toolNames: tools.map((tool) => tool.function.name),
  };
}

function planToolGrammar(request: ChatRequest, tools: readonly ChatTool[]): GenerationRequest['grammarAt'] {
  const choice = request.tool_choice ?? 'auto';
  const named = typeof choice === 'object' ? choice.function.name : null;
  return createToolGrammar({
    tools: named === null ? tools : tools.filter((tool) => tool.function.name === named),
    mode: choice === 'auto' ? 'free' : 'forced',
    // Off unless asked for, unlike OpenAI's default: this class of model repeats itself where it may.
    parallel: named === null && request.parallel_tool_calls === true,
  });
}

function planFormat(request: ChatRequest): GenerationRequest['grammarAt'] {
  const format = request.response_format;
  switch (format?.type) {
    case 'json_object':
      return toConstantGrammar(ANY_OBJECT_RULES);
    case 'json_schema': {
      const { schema } = format.json_schema;
      if (schema === undefined) return toConstantGrammar(ANY_OBJECT_RULES);
      return toConstantGrammar(compileJsonSchema(schema, 'response_format.json_schema.schema'));
    }
    case 'text':
    case undefined:
      return () => null;
  }
}

function toConstantGrammar({ entry, rules }: JsonRules): () => Grammar {
  const grammar: Grammar = { id: 'json', gbnf: `root ::= ${entry}\n${rules}` };
  return () => grammar;
}
