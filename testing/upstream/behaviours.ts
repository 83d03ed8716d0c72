// What the wire server can be asked to do with one call. A behaviour is data, so that a table of failures reads as a
// table; each constructor names one way in which a model server answers or misbehaves.

import type { Valve } from './valve.ts';

/** Tokens as the server will report them; `null` sends no usage at all. */
export interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

export interface Pace {
  /** Milliseconds from one chunk to the next, kept on an absolute schedule. */
  readonly paceMs?: number;
  /** Chunks pass one by one as the test lets them. */
  readonly valve?: Valve;
}

export interface AnswerOptions extends Pace {
  readonly reasoning?: readonly string[];
  /** Name of the field that carries reasoning. */
  readonly reasoningField?: 'reasoning_content' | 'reasoning';
  readonly finishReason?: string;
  /** Absent: one completion token a chunk. */
  readonly usage?: WireUsage | null;
  /** Model that the reply names; absent: the one that was asked for. */
  readonly model?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * What goes wrong after the chunks that were given.
 * `reset`: the connection breaks. `end`: an orderly end without a finish reason. `silence`: open, and nothing more.
 * `stall`: the reply is whole, its end never comes. `bytes`: sent as they are, then an orderly end.
 */
export type Fault = 'reset' | 'end' | 'silence' | 'stall' | { readonly bytes: Uint8Array };

export type Behaviour =
  | ({ readonly kind: 'answer'; readonly chunks: readonly string[]; readonly fault?: Fault } & AnswerOptions)
  | {
      readonly kind: 'refuse';
      readonly status: number;
      readonly body: unknown;
      readonly headers: Readonly<Record<string, string>>;
    }
  /** The request is read and never answered. */
  | { readonly kind: 'mute' }
  /** The connection breaks before the answer begins. */
  | { readonly kind: 'hangUp' };

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const toChunks = (text: string | readonly string[]): readonly string[] => (typeof text === 'string' ? [text] : text);

/** A whole reply: chunks, finish reason, usage, `[DONE]`. A request without `stream` gets it as one JSON object. */
export const answer = (text: string | readonly string[], options: AnswerOptions = {}): Behaviour => ({
  kind: 'answer',
  chunks: toChunks(text),
  ...options,
});

/** A reply that is one JSON object, as an auditor's model gives it. */
const answerJson = (value: unknown, options: AnswerOptions = {}): Behaviour => answer(JSON.stringify(value), options);

/** The auditor's verdict in its wire form. */
export const verdict = (isIncorrect: boolean, confidence: number, reason = 'checked against the context'): Behaviour =>
  answerJson({ isIncorrect, confidence, reason });

/** An HTTP error. A string is sent as it is, anything else as JSON. */
export const refuse = (
  status: number,
  body: unknown = { error: { message: `refused with ${status}`, type: 'server_error', code: null } },
  headers: Readonly<Record<string, string>> = {},
): Behaviour => ({ kind: 'refuse', status, body, headers });

export const mute = (): Behaviour => ({ kind: 'mute' });
export const hangUp = (): Behaviour => ({ kind: 'hangUp' });

const faulty = (fault: Fault, chunks: readonly string[], options: AnswerOptions): Behaviour => ({
  kind: 'answer',
  chunks,
  fault,
  ...options,
});

/** The connection breaks after these chunks; without any it breaks behind the headers. */
export const resetAfter = (chunks: readonly string[], options: AnswerOptions = {}): Behaviour =>
  faulty('reset', chunks, options);
/** An orderly end of the stream without `finish_reason` and `[DONE]`. */
export const endAfter = (chunks: readonly string[], options: AnswerOptions = {}): Behaviour =>
  faulty('end', chunks, options);
/** Nothing more after these chunks; without any there is no first token. */
export const silentAfter = (chunks: readonly string[], options: AnswerOptions = {}): Behaviour =>
  faulty('silence', chunks, options);
/** The finish reason comes, the end of the stream does not. */
export const stallAfterFinish = (chunks: readonly string[], options: AnswerOptions = {}): Behaviour =>
  faulty('stall', chunks, options);
/** An `error` object in the middle of the stream. */
export const errorAfter = (chunks: readonly string[], error: unknown, options: AnswerOptions = {}): Behaviour =>
  faulty({ bytes: encode(`data: ${JSON.stringify({ error })}\n\n`) }, chunks, options);
/** A `data:` line with this text, which need not be JSON. */
export const rawEventAfter = (chunks: readonly string[], data: string, options: AnswerOptions = {}): Behaviour =>
  faulty({ bytes: encode(`data: ${data}\n\n`) }, chunks, options);
/** Bytes as they are, also ones that are no UTF-8. */
export const bytesAfter = (chunks: readonly string[], bytes: Uint8Array, options: AnswerOptions = {}): Behaviour =>
  faulty({ bytes }, chunks, options);

/** A chunk whose text holds bytes that are no UTF-8. */
export function invalidUtf8After(chunks: readonly string[], options: AnswerOptions = {}): Behaviour {
  const head = encode('data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"');
  const tail = encode('"},"finish_reason":null}]}\n\n');
  return faulty({ bytes: Uint8Array.from([...head, 0xff, 0xc3, 0x28, ...tail]) }, chunks, options);
}
