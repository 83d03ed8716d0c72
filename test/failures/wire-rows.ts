// The truth table of the model's backend as data: what it does, the code that it becomes, whether it is tried again,
// and what was shown before it went wrong.

import type { ErrorCode } from '../../src/protocol/errors.ts';
import {
  answer,
  bytesAfter,
  endAfter,
  errorAfter,
  hangUp,
  invalidUtf8After,
  mute,
  rawEventAfter,
  refuse,
  resetAfter,
  silentAfter,
  type Behaviour,
} from '../../testing/upstream/upstream.ts';
import { wireKey } from '../stack.ts';

export interface WireRow {
  readonly name: string;
  readonly behaviour: Behaviour;
  readonly code: ErrorCode;
  /** Whether the workflow tries again. */
  readonly again: boolean;
  /** Text of the attempt, which is discarded with it. */
  readonly shown?: string;
  /** The failure may overtake text that waits to be read: then less was shown. */
  readonly overtakes?: true;
  /** Agent that is asked; absent: one with the published limits. */
  readonly agent?: 'patient' | 'impatient' | 'nonexistent';
  /** What the sentence for the user says besides naming model or backend. */
  readonly says?: string;
}

/** Every body says so, and says the key too: neither may get through to anybody. */
const vendorWords = `the vendor speaks of ${wireKey}`;
export const vendorPattern = /the vendor speaks|<html>|maximum context length is 4096/;

const vendor = (code: string | number | null, type: string, message = vendorWords) => ({
  error: { code, type, message },
});
const tokens = ['one ', 'two ', 'three '];
const shown = tokens.join('');
const page = `<html><body>${vendorWords}</body></html>\n`;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const toolCall = (json: string, chunks: readonly string[] = []): Behaviour =>
  rawEventAfter(
    chunks,
    JSON.stringify({
      choices: [
        {
          index: 0,
          delta: { tool_calls: [{ index: 0, id: 'call_1', function: { name: 'delete_everything', arguments: json } }] },
          finish_reason: 'tool_calls',
        },
      ],
    }),
  );

const statuses = [408, 409, 500, 502, 503, 504, 529].map((status): WireRow => ({
  name: `status ${status}`,
  behaviour: refuse(status, vendor(null, 'server_error')),
  code: 'llm_unavailable',
  again: true,
  says: `status ${status}`,
}));

export const wireRows: readonly WireRow[] = [
  ...statuses,
  { name: 'a proxy’s page with status 502', behaviour: refuse(502, page), code: 'llm_unavailable', again: true },
  { name: 'a connection closed before the headers', behaviour: hangUp(), code: 'llm_unavailable', again: true },
  { name: 'a connection reset before the first byte', behaviour: resetAfter([]), code: 'llm_unavailable', again: true },
  {
    name: 'an error object of a server kind in the stream',
    behaviour: errorAfter(tokens, { type: 'server_error', message: vendorWords, code: null }),
    code: 'llm_unavailable',
    again: true,
    shown,
  },
  {
    name: 'an error object that is a text only',
    behaviour: errorAfter(tokens, vendorWords),
    code: 'llm_unavailable',
    again: true,
    shown,
  },
  {
    name: 'an error object of the shape of vLLM',
    behaviour: rawEventAfter(tokens, JSON.stringify({ object: 'error', message: vendorWords, code: 500 })),
    code: 'llm_unavailable',
    again: true,
    shown,
  },
  {
    name: 'an error object that is a rate limit',
    behaviour: errorAfter(tokens, { type: 'rate_limit_error', message: vendorWords }),
    code: 'llm_rate_limited',
    again: true,
    shown,
  },
  {
    name: 'an error object that is an invalid request',
    behaviour: errorAfter(tokens, { type: 'invalid_request_error', message: vendorWords }),
    code: 'llm_invalid_output',
    again: false,
    shown,
  },
  {
    name: 'an error object that is a used-up quota',
    behaviour: errorAfter(tokens, { type: 'insufficient_quota', code: 'insufficient_quota', message: vendorWords }),
    code: 'llm_quota_exhausted',
    again: false,
    shown,
  },
  {
    name: 'no answer at all in time',
    behaviour: mute(),
    code: 'llm_timeout',
    again: true,
    agent: 'impatient',
    says: 'no first token within 2 s',
  },
  {
    name: 'headers, and no first token in time',
    behaviour: silentAfter([]),
    code: 'llm_timeout',
    again: true,
    agent: 'impatient',
    says: 'no first token within 2 s',
  },
  {
    name: 'silence between tokens',
    behaviour: silentAfter(tokens),
    code: 'llm_timeout',
    again: true,
    agent: 'impatient',
    shown,
    says: 'no further token within 2 s',
  },
  {
    name: '429 without a time',
    behaviour: refuse(429, vendor('rate_limit_exceeded', 'requests')),
    code: 'llm_rate_limited',
    again: true,
  },
  {
    name: '429 with a quota that is used up',
    behaviour: refuse(429, vendor('insufficient_quota', 'insufficient_quota')),
    code: 'llm_quota_exhausted',
    again: false,
  },
  {
    name: 'status 402',
    behaviour: refuse(402, vendor(null, 'billing')),
    code: 'llm_quota_exhausted',
    again: false,
  },
  {
    name: 'status 401',
    behaviour: refuse(401, vendor('invalid_api_key', 'auth', `bad key ${wireKey} or sk-abcdefghijkl`)),
    code: 'llm_auth',
    again: false,
  },
  { name: 'status 403', behaviour: refuse(403, page), code: 'llm_auth', again: false },
  {
    name: '404 for a model that is not there (C21)',
    behaviour: refuse(404, vendor('model_not_found', 'invalid_request_error')),
    code: 'llm_model_not_found',
    again: false,
    agent: 'nonexistent',
    says: 'no model named nonexistent/invalid-model-12345',
  },
  {
    name: '400 in the words of OpenAI for a context too long',
    behaviour: refuse(400, vendor('context_length_exceeded', 'invalid_request_error')),
    code: 'llm_context_too_long',
    again: false,
  },
  {
    name: '400 in the words of llama.cpp for a context too long',
    behaviour: refuse(400, {
      error: {
        code: 400,
        message: `${vendorWords}: the request exceeds the available context size`,
        type: 'exceed_context_size_error',
        n_prompt_tokens: 5_000,
        n_ctx: 4_096,
      },
    }),
    code: 'llm_context_too_long',
    again: false,
  },
  {
    name: '400 in the words of vLLM for a context too long',
    behaviour: refuse(400, {
      object: 'error',
      message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
      type: 'BadRequestError',
      param: null,
      code: 400,
    }),
    code: 'llm_context_too_long',
    again: false,
  },
  { name: 'status 413', behaviour: refuse(413, vendorWords), code: 'llm_context_too_long', again: false },
  {
    name: 'another 400',
    behaviour: refuse(400, vendor(null, 'invalid_request_error')),
    code: 'llm_invalid_output',
    again: false,
    says: 'status 400',
  },
  { name: 'status 422', behaviour: refuse(422, vendor(null, 'x')), code: 'llm_invalid_output', again: false },
  { name: 'status 418', behaviour: refuse(418, vendor(null, 'x')), code: 'llm_invalid_output', again: false },
  {
    name: '400 of a content filter',
    behaviour: refuse(400, vendor('content_filter', 'invalid_request_error')),
    code: 'llm_content_filtered',
    again: false,
  },
  {
    name: 'a connection reset after some tokens',
    behaviour: resetAfter(tokens),
    code: 'llm_stream_truncated',
    again: true,
    shown,
    overtakes: true,
  },
  {
    name: 'an orderly end before finish_reason',
    behaviour: endAfter(tokens),
    code: 'llm_stream_truncated',
    again: true,
    shown,
  },
  {
    name: 'an end in the middle of an event',
    behaviour: bytesAfter(tokens, bytes('data: {"choices":[{"del')),
    code: 'llm_stream_truncated',
    again: true,
    shown,
  },
  {
    name: 'finish_reason abort',
    behaviour: answer(tokens, { finishReason: 'abort' }),
    code: 'llm_stream_truncated',
    again: true,
    shown,
  },
  {
    name: 'finish_reason error',
    behaviour: answer(tokens, { finishReason: 'error' }),
    code: 'llm_unavailable',
    again: true,
    shown,
  },
  {
    name: 'malformed JSON',
    behaviour: rawEventAfter(tokens, '{oops'),
    code: 'llm_invalid_output',
    again: true,
    shown,
    says: 'an event that is no JSON',
  },
  {
    name: 'malformed server-sent events',
    behaviour: bytesAfter(tokens, bytes(page)),
    code: 'llm_invalid_output',
    again: true,
    shown,
    overtakes: true,
    says: 'a line that is no event',
  },
  {
    name: 'events of another protocol',
    behaviour: rawEventAfter([], '{"hello":1}'),
    code: 'llm_invalid_output',
    again: true,
  },
  {
    name: 'a page in place of a stream',
    behaviour: answer(tokens, { headers: { 'content-type': 'text/html' } }),
    code: 'llm_invalid_output',
    again: true,
    says: 'text/html in place of a stream',
  },
  {
    name: 'bytes that are no UTF-8',
    behaviour: invalidUtf8After(tokens),
    code: 'llm_invalid_output',
    again: true,
    shown,
    overtakes: true,
    says: 'bytes that are no UTF-8',
  },
  {
    name: 'half of a character',
    behaviour: answer([...tokens, '\ud83d']),
    code: 'llm_invalid_output',
    again: true,
    shown,
    says: 'a broken character',
  },
  {
    name: 'a call of a tool that was not offered',
    behaviour: toolCall('{"everything": true}', tokens),
    code: 'llm_invalid_output',
    again: true,
    shown,
    says: 'a tool that was not offered',
  },
  {
    name: 'a call of a tool with broken arguments',
    behaviour: toolCall('{"everything": tr'),
    code: 'llm_invalid_output',
    again: true,
    says: 'a tool with arguments that are no JSON',
  },
  { name: 'an empty reply', behaviour: answer([]), code: 'llm_empty_reply', again: true },
  {
    name: 'a reply of white space',
    behaviour: answer([' ', '\n\t']),
    code: 'llm_empty_reply',
    again: true,
    shown: ' \n\t',
  },
  {
    name: 'a reply of reasoning only',
    behaviour: answer([], { reasoning: ['hm, ', 'hm'] }),
    code: 'llm_empty_reply',
    again: true,
    shown: 'hm, hm',
  },
  {
    name: 'finish_reason content_filter',
    behaviour: answer(tokens, { finishReason: 'content_filter' }),
    code: 'llm_content_filtered',
    again: false,
    shown,
  },
  {
    name: 'a reply of 10 MB in small pieces',
    behaviour: answer(Array.from({ length: 10_240 }, () => 'x'.repeat(1_024))),
    code: 'llm_reply_too_long',
    again: false,
    shown: 'x'.repeat(256 * 1_024),
    says: 'exceeded 256 KiB',
  },
  {
    name: 'a reply of 10 MB in one piece',
    behaviour: answer(['x'.repeat(10 * 1_024 * 1_024)]),
    code: 'llm_reply_too_long',
    again: false,
  },
];
