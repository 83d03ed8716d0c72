// What a model server can do with one call of a plan, and what the published table says must come of it. The expectation
// stands here by hand, beside the behaviour, so that the product is not asked what it should have done.

import type { ErrorCode } from '../../src/protocol/errors.ts';
import {
  answer,
  endAfter,
  errorAfter,
  hangUp,
  invalidUtf8After,
  mute,
  rawEventAfter,
  refuse,
  resetAfter,
  silentAfter,
  stallAfterFinish,
  type AnswerOptions,
  type Behaviour,
} from '../../testing/upstream/upstream.ts';

export interface CallRow {
  /** How much the reply says: all, a part of it, or nothing. */
  readonly text: 'whole' | 'part' | 'none';
  /** Against its fellows, when a plan is drawn. */
  readonly weight: number;
  readonly ends:
    | { readonly kind: 'answered'; readonly incomplete: boolean }
    | { readonly kind: 'failed'; readonly code: ErrorCode; readonly triedAgain: boolean };
  readonly behave: (chunks: readonly string[], options: AnswerOptions) => Behaviour;
}

const answered = (incomplete: boolean) => ({ kind: 'answered', incomplete }) as const;
const failed = (code: ErrorCode, triedAgain: boolean) => ({ kind: 'failed', code, triedAgain }) as const;
const vendor = (message: string, code: string | null = null, type = 'invalid_request_error') => ({
  error: { message, type, code },
});

const rows = {
  answers: { text: 'whole', weight: 40, ends: answered(false), behave: (chunks, options) => answer(chunks, options) },
  'answers without usage': {
    text: 'whole',
    weight: 4,
    ends: answered(false),
    behave: (chunks, options) => answer(chunks, { ...options, usage: null }),
  },
  'answers up to its limit of length': {
    text: 'whole',
    weight: 4,
    ends: answered(true),
    behave: (chunks, options) => answer(chunks, { ...options, finishReason: 'length' }),
  },
  'answers and never closes': {
    text: 'whole',
    weight: 1,
    ends: answered(false),
    behave: (chunks, options) => stallAfterFinish(chunks, options),
  },
  'answers with 500': {
    text: 'none',
    weight: 6,
    ends: failed('llm_unavailable', true),
    behave: () => refuse(500),
  },
  'answers with 529': {
    text: 'none',
    weight: 2,
    ends: failed('llm_unavailable', true),
    behave: () => refuse(529, vendor('overloaded', null, 'overloaded_error')),
  },
  'closes before the answer': {
    text: 'none',
    weight: 4,
    ends: failed('llm_unavailable', true),
    behave: () => hangUp(),
  },
  'closes behind the headers': {
    text: 'none',
    weight: 4,
    ends: failed('llm_unavailable', true),
    behave: () => resetAfter([]),
  },
  'resets the connection': {
    text: 'part',
    weight: 12,
    ends: failed('llm_stream_truncated', true),
    behave: (chunks, options) => resetAfter(chunks, options),
  },
  'ends without a finish reason': {
    text: 'part',
    weight: 8,
    ends: failed('llm_stream_truncated', true),
    behave: (chunks, options) => endAfter(chunks, options),
  },
  'falls silent': {
    text: 'part',
    weight: 2,
    ends: failed('llm_timeout', true),
    behave: (chunks, options) => silentAfter(chunks, options),
  },
  'never says a word': { text: 'none', weight: 1, ends: failed('llm_timeout', true), behave: () => mute() },
  'sends an error object': {
    text: 'part',
    weight: 6,
    ends: failed('llm_unavailable', true),
    behave: (chunks, options) => errorAfter(chunks, vendor('it broke', null, 'server_error').error, options),
  },
  'sends bytes that are no UTF-8': {
    text: 'part',
    weight: 4,
    ends: failed('llm_invalid_output', true),
    behave: (chunks, options) => invalidUtf8After(chunks, options),
  },
  'sends what is no JSON': {
    text: 'part',
    weight: 4,
    ends: failed('llm_invalid_output', true),
    behave: (chunks, options) => rawEventAfter(chunks, '{"id":', options),
  },
  'says nothing': {
    text: 'none',
    weight: 4,
    ends: failed('llm_empty_reply', true),
    behave: (_chunks, options) => answer([], options),
  },
  'says white space': {
    text: 'none',
    weight: 3,
    ends: failed('llm_empty_reply', true),
    behave: (_chunks, options) => answer([' ', '\n', ' '], options),
  },
  'asks to slow down': {
    text: 'none',
    weight: 5,
    ends: failed('llm_rate_limited', true),
    behave: () => refuse(429, vendor('slow down', 'rate_limit_exceeded', 'requests'), { 'retry-after-ms': '1300' }),
  },
  'has no quota left': {
    text: 'none',
    weight: 3,
    ends: failed('llm_quota_exhausted', false),
    behave: () => refuse(429, vendor('quota', 'insufficient_quota', 'insufficient_quota')),
  },
  'refuses the key': { text: 'none', weight: 3, ends: failed('llm_auth', false), behave: () => refuse(401) },
  'does not know the model': {
    text: 'none',
    weight: 3,
    ends: failed('llm_model_not_found', false),
    behave: () => refuse(404, vendor('no such model', 'model_not_found')),
  },
  'finds the prompt too long': {
    text: 'none',
    weight: 3,
    ends: failed('llm_context_too_long', false),
    behave: () => refuse(400, vendor('too long', 'context_length_exceeded')),
  },
  'refuses the request': {
    text: 'none',
    weight: 2,
    ends: failed('llm_invalid_output', false),
    behave: () => refuse(422, vendor('bad field')),
  },
  'withholds by its filter': {
    text: 'part',
    weight: 4,
    ends: failed('llm_content_filtered', false),
    behave: (chunks, options) => answer(chunks, { ...options, finishReason: 'content_filter' }),
  },
} as const satisfies Record<string, CallRow>;

export type CallKind = keyof typeof rows;
export const callRows: Readonly<Record<CallKind, CallRow>> = rows;

export interface CallPlan {
  readonly kind: CallKind;
  /** What the model says, piece by piece; a piece may end within a character. */
  readonly chunks: readonly string[];
  readonly reasoning: readonly string[];
}

/** @param tag stands first in the text, so that no two calls of a run say the same */
export function toBehaviour({ kind, chunks, reasoning }: CallPlan, tag: string, options: AnswerOptions): Behaviour {
  return callRows[kind].behave(taggedChunks(chunks, tag), { ...options, reasoning });
}

const taggedChunks = ([first, ...rest]: readonly string[], tag: string): readonly string[] =>
  first === undefined ? [] : [`${tag} ${first}`, ...rest];
