/**
 * The request body of `POST /v1/chat/completions`, as far as this server honours it. A field that would change the
 * answer and cannot be honoured is refused; unknown fields are ignored as OpenAI's own servers do.
 */
import { z } from 'zod';
import { createInvalidRequest } from './openai-error.ts';

const textParts = z.array(z.object({ type: z.literal('text', 'only text parts can be read'), text: z.string() }));
const textContent = z
  .union([z.string(), textParts])
  .transform((content) => (typeof content === 'string' ? content : content.map((part) => part.text).join('')));

const toolCall = z.object({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.object({ name: z.string().min(1), arguments: z.string() }),
});

const message = z.discriminatedUnion('role', [
  z.object({ role: z.literal('system'), content: textContent }),
  z.object({ role: z.literal('developer'), content: textContent }),
  z.object({ role: z.literal('user'), content: textContent }),
  z
    .object({ role: z.literal('assistant'), content: textContent.nullish(), tool_calls: z.array(toolCall).nullish() })
    .refine((value) => value.content != null || (value.tool_calls?.length ?? 0) > 0, {
      message: 'an assistant message needs content or tool_calls',
      path: ['content'],
    }),
  z.object({ role: z.literal('tool'), content: textContent, tool_call_id: z.string().min(1) }),
]);

const toolName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, 'a name has 1 to 64 letters, digits, _ or -');
const jsonSchema = z.record(z.string(), z.unknown());

const tool = z.object({
  type: z.literal('function'),
  function: z.object({ name: toolName, description: z.string().nullish(), parameters: jsonSchema.nullish() }),
});

const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.object({ type: z.literal('function'), function: z.object({ name: toolName }) }),
]);

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({ name: z.string().min(1), schema: jsonSchema.optional() }),
  }),
]);

const tokenLimit = z.number().int().min(1).nullish();

const chatRequest = z
  .object({
    model: z.string().min(1),
    messages: z.array(message).min(1),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().gt(0).max(1).nullish(),
    frequency_penalty: z.number().min(-2).max(2).nullish(),
    presence_penalty: z.number().min(-2).max(2).nullish(),
    seed: z.number().int().nullish(),
    max_tokens: tokenLimit,
    max_completion_tokens: tokenLimit,
    stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(4)]).nullish(),
    response_format: responseFormat.nullish(),
    tools: z.array(tool).nullish(),
    tool_choice: toolChoice.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    n: z.literal(1, 'one choice for each request').nullish(),
    logprobs: z.literal(false, 'log probabilities are not given').nullish(),
    functions: z.never('use tools').nullish(),
    function_call: z.never('use tool_choice').nullish(),
  })
  .superRefine((body, context) => {
    const names = (body.tools ?? []).map((entry) => entry.function.name);
    const refuse = (path: string, text: string): void => {
      context.addIssue({ code: 'custom', path: [path], message: text });
    };
    if (body.stream_options != null && body.stream !== true) refuse('stream_options', 'only allowed with stream');
    if (new Set(names).size !== names.length) refuse('tools', 'two tools have the same name');
    if (body.tool_choice != null && body.tool_choice !== 'none' && names.length === 0) {
      refuse('tool_choice', 'only allowed with tools');
    } else if (typeof body.tool_choice === 'object' && body.tool_choice != null) {
      if (!names.includes(body.tool_choice.function.name)) refuse('tool_choice', 'names a tool that is not in tools');
    }
    if (names.length > 0 && body.response_format != null && body.response_format.type !== 'text') {
      if (body.tool_choice !== 'none') refuse('response_format', 'cannot be combined with tools');
    }
  });

export type ChatRequest = z.output<typeof chatRequest>;
export type ChatMessage = ChatRequest['messages'][number];
export type ChatTool = NonNullable<ChatRequest['tools']>[number];

/** Throws a `Refusal` (400) that names the first field at fault in OpenAI's notation, `messages[0].content`. */
export function parseChatRequest(body: unknown): ChatRequest {
  const parsed = chatRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = toFieldPath(issue?.path ?? []);
  throw createInvalidRequest(
    `Invalid request body${path === '' ? '' : ` at '${path}'`}: ${issue?.message}.`,
    path || null,
  );
}

function toFieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('');
}
