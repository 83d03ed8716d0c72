// Reads a reply event by event: validates its shape, keeps surrogate pairs whole, counts its bytes, and remembers how
// it ended. Text of events that came together leaves together. Pure but for its own state, so that the adapter holds only
// the call itself.

import { CandorError } from '../protocol/errors.ts';
import type { Channel } from '../protocol/events.ts';
import { maxReplyBytes } from '../protocol/limits.ts';
import type { ModelChunk } from '../protocol/ports.ts';
import { unknownUsage, type Usage } from '../protocol/receipt.ts';
import { toInvalidOutput, toModelError, toStreamedError, type FailedCall } from './model-error.ts';
import { toVendorError } from './vendor-error.ts';

type TextChunk = Extract<ModelChunk, { kind: 'text' }>;
type FinishChunk = Extract<ModelChunk, { kind: 'finish' }>;

/** What events said up to the first that no reply may hold. */
export interface ReadEvents {
  /** Text that may be shown now, joined as far as it is of one channel. */
  readonly texts: readonly TextChunk[];
  readonly failure: CandorError | null;
}

export interface Reply {
  /** @param events the data of each, oldest first */
  read(events: readonly string[]): ReadEvents;
  /** Chunks of any kind that came. */
  readonly chunks: number;
  /** `null` as long as the backend gave no finish reason. @throws CandorError for a reply that ends inside a character */
  finish(): FinishChunk | null;
  /** Why a finished reply is no answer; `null` when it is one. */
  problem(): CandorError | null;
}

const limitInWords = `${maxReplyBytes / 1024} KiB`;
const toolFinish = /^(tool_calls|function_call)$/;
/** Servers that end a call from their side say so in the place of a reason. */
const abortedFinish = /^(abort(ed)?|cancell?ed)$/;

export function createReply(describe: () => FailedCall): Reply {
  const held: Record<Channel, string> = { answer: '', reasoning: '' };
  let chunks = 0;
  let bytes = 0;
  let hasAnswer = false;
  const toolArguments = new Map<unknown, string>();
  let calledTool = false;
  let finishReason: string | null = null;
  let usage: Usage = unknownUsage;
  let responseId: string | null = null;
  let model: string | null = null;

  /** Holds back the first half of a pair until the second one comes. */
  const release = (channel: Channel, arrived: string): string => {
    const text = held[channel] + arrived;
    const whole = endsInsidePair(text) ? text.slice(0, -1) : text;
    held[channel] = text.slice(whole.length);
    if (!whole.isWellFormed()) throw toInvalidOutput(describe(), 'a broken character');
    return whole;
  };
  const count = (text: string): void => {
    bytes += Buffer.byteLength(text);
    if (bytes > maxReplyBytes) throw toReplyTooLong(describe());
  };
  const show = (texts: TextChunk[], channel: Channel, arrived: string): void => {
    if (arrived === '') return;
    const text = release(channel, arrived);
    if (text === '') return;
    count(text);
    if (!hasAnswer && channel === 'answer' && text.trim() !== '') hasAnswer = true;
    const last = texts.at(-1);
    if (last?.channel === channel) texts[texts.length - 1] = { kind: 'text', channel, text: last.text + text };
    else texts.push({ kind: 'text', channel, text });
  };
  const stringOrNothing = (value: unknown, name: string): string => {
    if (value === undefined || value === null) return '';
    if (typeof value === 'string') return value;
    throw toInvalidOutput(describe(), `${name} is no text`);
  };

  const parse = (event: string): Record<string, unknown> => {
    let chunk: unknown;
    try {
      chunk = JSON.parse(event);
    } catch {
      // Swallowed: that it cannot be parsed is all there is to say; its words are the model's or a proxy's.
      throw toInvalidOutput(describe(), 'an event that is no JSON');
    }
    if (!isRecord(chunk)) throw toInvalidOutput(describe(), 'a chunk is no object');
    const { object, error } = chunk;
    if (object === 'error') throw toStreamedError(describe(), toVendorError(chunk));
    if (Boolean(error)) throw toStreamedError(describe(), toVendorError(error));
    return chunk;
  };
  const readTools = (delta: Record<string, unknown>): void => {
    for (const [position, call] of toToolCalls(delta).entries()) {
      calledTool = true;
      const { index = position, function: called = {} } = isRecord(call) ? call : {};
      const piece = stringOrNothing(isRecord(called) ? called['arguments'] : called, 'the arguments of a tool');
      count(piece);
      toolArguments.set(index, (toolArguments.get(index) ?? '') + piece);
    }
  };
  const readEvent = (event: string, texts: TextChunk[]): void => {
    const chunk = parse(event);
    chunks += 1;
    const { id, model: named, usage: counted, choices } = chunk;
    if (typeof id === 'string' && id !== '') responseId = id;
    if (typeof named === 'string' && named !== '') model = named;
    if (isRecord(counted)) usage = toUsage(counted);
    if (choices === undefined && isRecord(counted)) return;
    if (!Array.isArray(choices)) throw toInvalidOutput(describe(), 'a chunk has no choices');
    const choice: unknown = choices[0];
    if (choice === undefined) return;
    if (!isRecord(choice)) throw toInvalidOutput(describe(), 'a choice is no object');
    const reason = stringOrNothing(choice['finish_reason'], 'the finish reason');
    if (reason !== '') finishReason = reason;
    const delta = choice['delta'] ?? {};
    if (!isRecord(delta)) throw toInvalidOutput(describe(), 'a delta is no object');
    readTools(delta);
    show(texts, 'reasoning', stringOrNothing(delta['reasoning_content'] ?? delta['reasoning'], 'the reasoning'));
    // A refusal in words is the model's own text, sent in a field of its own.
    const refusal = stringOrNothing(delta['refusal'], 'the refusal');
    show(texts, 'answer', stringOrNothing(delta['content'], 'the content') + refusal);
  };

  return {
    get chunks() {
      return chunks;
    },
    read(events) {
      const texts: TextChunk[] = [];
      try {
        for (const event of events) readEvent(event, texts);
      } catch (error) {
        if (!(error instanceof CandorError)) throw error;
        return { texts, failure: error };
      }
      return { texts, failure: null };
    },
    finish() {
      if (finishReason === null) return null;
      if (held.answer !== '' || held.reasoning !== '') throw toInvalidOutput(describe(), 'a broken character');
      return { kind: 'finish', finishReason, usage, responseId, model };
    },
    problem() {
      if (finishReason === 'content_filter') return toModelError(describe(), 'llm_content_filtered');
      if ([...toolArguments.values()].some(isBrokenJson)) {
        return toInvalidOutput(describe(), 'it called a tool with arguments that are no JSON');
      }
      if (calledTool || toolFinish.test(finishReason ?? '')) {
        return toInvalidOutput(describe(), 'it called a tool that was not offered');
      }
      if (finishReason === 'error')
        return toModelError(describe(), 'llm_unavailable', { facts: { reason: 'an error in place of the end' } });
      if (abortedFinish.test(finishReason ?? '')) return toModelError(describe(), 'llm_stream_truncated');
      return hasAnswer ? null : toModelError(describe(), 'llm_empty_reply');
    },
  };
}

export const toReplyTooLong = (call: FailedCall): CandorError =>
  toModelError(call, 'llm_reply_too_long', { facts: { limit: limitInWords } });

function toUsage(counted: Record<string, unknown>): Usage {
  const count = (name: string): number | null => {
    const value = counted[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  };
  return {
    promptTokens: count('prompt_tokens'),
    completionTokens: count('completion_tokens'),
    totalTokens: count('total_tokens'),
  };
}

function endsInsidePair(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}

const none: readonly unknown[] = [];

/** Calls of tools in a chunk, in the present form and in the one before it. */
function toToolCalls({ tool_calls: calls, function_call: single }: Record<string, unknown>): readonly unknown[] {
  if (Array.isArray(calls)) return calls;
  return isRecord(single) ? [{ function: single }] : none;
}

/** A tool without parameters is called with nothing at all by some servers. */
function isBrokenJson(text: string): boolean {
  if (text.trim() === '') return false;
  try {
    JSON.parse(text);
    return false;
  } catch {
    // Swallowed: that it cannot be parsed is the answer to the question.
    return true;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
