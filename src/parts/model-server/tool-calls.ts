/**
 * Tool calls in the form Qwen2.5 was trained on, `<tool_call>\n{"name": …, "arguments": …}\n</tool_call>`: the grammars
 * that make a small model write them without a fault, and the reader that takes them out of the streamed text.
 */
import type { Grammar } from './chat-engine.ts';
import { TOOL_CALL_END, TOOL_CALL_START } from './chat-template.ts';
import { findHeldFrom } from './held-text.ts';
import { ANY_OBJECT_RULES, compileJsonSchema, toLiteral } from './json-grammar.ts';
import type { ChatTool } from './request-schema.ts';

export type ToolCall = { readonly name: string; readonly argumentsJson: string };

export type ToolGrammarOptions = {
  readonly tools: readonly ChatTool[];
  /** `forced`: nothing but calls; `free`: the model decides between text and calls. */
  readonly mode: 'forced' | 'free';
  readonly parallel: boolean;
};

/** A small model that may go on calling does so; more calls than this in one step were never wanted. */
const MAX_PARALLEL_CALLS = 4;

/** Throws a `Refusal` (400) for a parameter schema that no grammar expresses. */
export function createToolGrammar(options: ToolGrammarOptions): (text: string) => Grammar | null {
  const rules = toCallRules(options);
  const more = options.parallel ? ` ("\\n" call){0,${MAX_PARALLEL_CALLS - 1}}` : '';
  const forced: Grammar = { id: 'calls', gbnf: `root ::= call${more}\n${rules}` };
  if (options.mode === 'forced') return () => forced;

  // The opening decides. A coder model likes to write the bare or fenced object where it means a call: these openings are
  // calls too, bound to the same rules, and text may begin with nothing that would be a call in disguise.
  const opening: Grammar = {
    id: 'opening',
    gbnf: `root ::= call${more} | bare | fenced | text\n${rules}${TEXT_RULES}`,
  };
  const afterMark: Grammar = {
    id: 'rest',
    gbnf: `root ::= [\\n ]{0,2} "{" body "\\n${TOOL_CALL_END}"${more}\n${rules}`,
  };
  return (text) => {
    if (isCallOpening(text)) return opening;
    return text.includes(TOOL_CALL_START) ? afterMark : null;
  };
}

const FENCE = '```json\n';
const FENCE_END = '\n```';
const CALL_OPENINGS = [TOOL_CALL_START, '{', `${FENCE}{`];

const TEXT_RULES = `
bare ::= "{" body
fenced ::= ${toLiteral(`${FENCE}{`)} body ${toLiteral(FENCE_END)}
text ::= ([a-zA-Z0-9*#\\x80-\\U0010FFFF-] | ${'"```"'} ([^j] | "j" [^s] | "js" [^o])) [^\\x00]*
`;

/** Whether an output that has come so far is a call or may become one. */
function isCallOpening(text: string): boolean {
  return CALL_OPENINGS.some((opening) => opening.startsWith(text) || text.startsWith(opening));
}

function toCallRules({ tools }: ToolGrammarOptions): string {
  const compiled = tools.map((tool, index) => {
    const parameters = tool.function.parameters;
    const schema = { type: 'object', ...parameters };
    const rules =
      parameters == null
        ? ANY_OBJECT_RULES
        : compileJsonSchema(schema, `tools[${index}].function.parameters`, `t${index}x`);
    const head = toLiteral(`"name": ${JSON.stringify(tool.function.name)}, "arguments": `);
    return { alternative: `${head} ${rules.entry}`, rules: rules.rules.replace(ANY_OBJECT_RULES.rules, '') };
  });
  return [
    `call ::= ${toLiteral(`${TOOL_CALL_START}\n{`)} body ${toLiteral(`\n${TOOL_CALL_END}`)}`,
    `body ::= (${compiled.map((tool) => tool.alternative).join(' | ')}) "}"`,
    ...compiled.map((tool) => tool.rules),
    ANY_OBJECT_RULES.rules,
  ].join('\n');
}

/** The text that may be shown and the calls that are complete by now. */
export type ToolCallReading = { readonly text: string; readonly calls: readonly ToolCall[] };

export type ToolCallReader = {
  readonly push: (piece: string) => ToolCallReading;
  /** The rest at the end. A call that was cut off by the token limit is dropped: half of its arguments are no arguments. */
  readonly flush: (finish: 'stop' | 'length') => ToolCallReading;
};

/** What looks like a call but is none (unknown name, broken JSON) is shown as the text it is. */
export function createToolCallReader(toolNames: readonly string[]): ToolCallReader {
  let held = '';
  let atStart = true;

  const take = (): ToolCallReading => {
    let text = '';
    const calls: ToolCall[] = [];
    for (;;) {
      const start = held.indexOf(TOOL_CALL_START);
      const end = start < 0 ? -1 : held.indexOf(TOOL_CALL_END, start);
      if (end < 0) {
        // White space is held with the mark: the line break before a call belongs to the call.
        const until = start < 0 ? findHeldFrom(held, [TOOL_CALL_START]) : start;
        const shown = held.slice(0, until).trimEnd();
        held = held.slice(shown.length);
        return { text: text + shown, calls };
      }
      const after = end + TOOL_CALL_END.length;
      const call = parseToolCall(held.slice(start + TOOL_CALL_START.length, end), toolNames);
      text += call === null ? held.slice(0, after) : held.slice(0, start).trimEnd();
      if (call !== null) calls.push(call);
      held = held.slice(after);
    }
  };

  return {
    push: (piece) => {
      held += piece;
      // A bare or fenced call has no mark at its end: it is one when the output ends.
      if (atStart && isCallOpening(held) && !held.startsWith(TOOL_CALL_START)) return { text: '', calls: [] };
      atStart = false;
      return take();
    },
    flush: (finish) => {
      const rest = held;
      held = '';
      const json = toUnfinishedCall(rest, atStart);
      if (json === null) return { text: rest, calls: [] };
      if (finish === 'length') return { text: '', calls: [] };
      const call = parseToolCall(json, toolNames);
      return call === null ? { text: rest, calls: [] } : { text: '', calls: [call] };
    },
  };
}

/** The JSON of a call without an end mark; `null` when the text is none. */
function toUnfinishedCall(rest: string, atStart: boolean): string | null {
  const trimmed = rest.trim();
  if (trimmed.startsWith(TOOL_CALL_START)) return trimmed.slice(TOOL_CALL_START.length);
  if (!atStart) return null;
  if (trimmed.startsWith(FENCE)) return trimmed.slice(FENCE.length).replace(/\s*```$/, '');
  return trimmed.startsWith('{') ? trimmed : null;
}

function parseToolCall(json: string, toolNames: readonly string[]): ToolCall | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const { name, arguments: values } = parsed as { name?: unknown; arguments?: unknown };
  if (typeof name !== 'string' || !toolNames.includes(name)) return null;
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return null;
  return { name, argumentsJson: JSON.stringify(values) };
}
