/**
 * Renders a conversation in ChatML as Qwen2.5's own template does, as segments instead of one string: only `control`
 * segments become special tokens, so that `<|im_end|>` inside a message stays text and nobody can forge a turn.
 */
import type { ChatMessage, ChatTool } from './request-schema.ts';

export type Segment = { readonly kind: 'control' | 'text'; readonly text: string };

/** What the model was trained with where a conversation has no system message. */
const DEFAULT_SYSTEM = 'You are Qwen, created by Alibaba Cloud. You are a helpful assistant.';

/**
 * Beyond the model's own template: with that alone the coder models call a function in answer to everything, a greeting
 * and a result that is already there included (right in 2 of 7 cases; with these sentences in 6; measured with 1.5 B).
 */
const TOOL_GUIDANCE =
  'Call a function only when its description matches what the user asks for. If none of the functions fits the question, reply in plain words and do not write JSON. After a <tool_response>, answer in plain words from it.';

export const TURN_START = '<|im_start|>';
export const TURN_END = '<|im_end|>';
export const TOOL_CALL_START = '<tool_call>';
export const TOOL_CALL_END = '</tool_call>';

/** The prompt up to and including the head of the assistant's turn; `tools` are listed in the first system message. */
export function renderChat(messages: readonly ChatMessage[], tools: readonly ChatTool[]): Segment[] {
  const [first, ...others] = messages;
  const leads = first?.role === 'system' || first?.role === 'developer';
  const system = leads ? first.content : DEFAULT_SYSTEM;
  return joinSegments([
    ...toTurn('system', [toText(system), ...renderTools(tools)]),
    ...renderMessages(leads ? others : messages),
    { kind: 'control', text: TURN_START },
    toText('assistant\n'),
  ]);
}

function renderMessages(messages: readonly ChatMessage[]): Segment[] {
  return messages.flatMap((message, index) => {
    switch (message.role) {
      case 'system':
      case 'developer':
        return toTurn('system', [toText(message.content)]);
      case 'user':
        return toTurn('user', [toText(message.content)]);
      case 'assistant':
        return toTurn('assistant', renderAssistant(message));
      case 'tool':
        return renderToolResult(
          message.content,
          messages[index - 1]?.role === 'tool',
          messages[index + 1]?.role === 'tool',
        );
    }
  });
}

function renderAssistant(message: Extract<ChatMessage, { role: 'assistant' }>): Segment[] {
  const content = message.content ?? '';
  const calls = (message.tool_calls ?? []).flatMap((call, index): Segment[] => [
    toText(index > 0 || content !== '' ? '\n' : ''),
    { kind: 'control', text: TOOL_CALL_START },
    toText(`\n{"name": ${JSON.stringify(call.function.name)}, "arguments": ${call.function.arguments}}\n`),
    { kind: 'control', text: TOOL_CALL_END },
  ]);
  return [toText(content), ...calls];
}

/** Results that follow each other share one user turn, as in the model's training. */
function renderToolResult(content: string, continues: boolean, isContinued: boolean): Segment[] {
  const head: Segment[] = continues ? [toText('\n')] : [{ kind: 'control', text: TURN_START }, toText('user\n')];
  const tail: Segment[] = isContinued ? [] : [{ kind: 'control', text: TURN_END }, toText('\n')];
  return [...head, toText(`<tool_response>\n${content}\n</tool_response>`), ...tail];
}

function renderTools(tools: readonly ChatTool[]): Segment[] {
  if (tools.length === 0) return [];
  const list = tools.map((tool) => JSON.stringify(tool)).join('\n');
  return [
    toText(
      `\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided with function signatures within <tools></tools> XML tags:\n<tools>\n${list}\n</tools>\n\nFor each function call, return a json object with function name and arguments within `,
    ),
    { kind: 'control', text: TOOL_CALL_START },
    { kind: 'control', text: TOOL_CALL_END },
    toText(' XML tags:\n'),
    { kind: 'control', text: TOOL_CALL_START },
    toText('\n{"name": <function-name>, "arguments": <args-json-object>}\n'),
    { kind: 'control', text: TOOL_CALL_END },
    toText(`\n\n${TOOL_GUIDANCE}`),
  ];
}

function toTurn(role: string, body: readonly Segment[]): Segment[] {
  return [
    { kind: 'control', text: TURN_START },
    toText(`${role}\n`),
    ...body,
    { kind: 'control', text: TURN_END },
    toText('\n'),
  ];
}

function toText(text: string): Segment {
  return { kind: 'text', text };
}

/** Text is tokenised whole, wherever it was put together: a cut inside a word gives tokens the model never saw. */
function joinSegments(segments: readonly Segment[]): Segment[] {
  const joined: Segment[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    if (segment.text === '') continue;
    if (segment.kind === 'text' && last?.kind === 'text') {
      joined[joined.length - 1] = toText(last.text + segment.text);
    } else joined.push(segment);
  }
  return joined;
}

/**
 * A text in pieces none of which contains the whole name of a special token: the tokenizer knows some of them
 * (`<tool_call>`) as ordinary vocabulary and would recognise them in a user's words.
 */
export function splitSpecialNames(text: string): string[] {
  return text.split(/(?<=<)(?=\|[a-z_]+\|>|\/?tool_call>)/);
}
