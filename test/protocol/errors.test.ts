/** The catalogue says the same to users, to operators, on the wire and in PROTOCOL.md. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  CandorError,
  errorCatalogue,
  isErrorCode,
  toErrorInfo,
  toSentence,
  type ErrorCode,
} from '../../src/protocol/errors.ts';
import { parseErrorTable } from './error-table.ts';

const codes = Object.keys(errorCatalogue).filter(isErrorCode);
const document = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8');

/** Every fact that a sentence may name. An adapter that throws a code knows these. */
const facts: Partial<Record<ErrorCode, readonly string[]>> = {
  llm_unavailable: ['model', 'backend', 'reason'],
  llm_timeout: ['model', 'backend', 'what', 'seconds'],
  llm_rate_limited: ['model', 'backend'],
  llm_quota_exhausted: ['model', 'backend'],
  llm_auth: ['backend', 'model'],
  llm_model_not_found: ['backend', 'model'],
  llm_context_too_long: ['model'],
  llm_content_filtered: ['backend', 'model'],
  llm_stream_truncated: ['model', 'backend'],
  llm_empty_reply: ['model', 'backend'],
  llm_invalid_output: ['model', 'backend', 'reason'],
  llm_reply_too_long: ['model', 'limit'],
  tool_failed: ['tool', 'reason'],
  tool_timeout: ['tool'],
  tool_denied: ['tool'],
  approval_expired: ['tool'],
  no_data: ['subject'],
  agent_not_found: ['agent'],
  agent_invalid: ['agent', 'reason'],
  turn_timeout: ['seconds'],
  rate_limited: ['reason'],
  invalid_request: ['reason'],
  message_too_long: ['length', 'limit'],
  internal: ['reason'],
};

describe.each(codes)('%s', (code) => {
  const { meaning, sentence, recovery, httpStatus, closeCode } = errorCatalogue[code];

  test('has a sentence that names exactly its facts', () => {
    const named = [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(named).toEqual(facts[code] ?? []);
  });

  test('fills its sentence, and shows a missing fact as a hole', () => {
    const values = Object.fromEntries((facts[code] ?? []).map((name) => [name, `<${name}>`]));
    const filled = toSentence(code, values);
    expect(filled).not.toMatch(/[{}]|unknown/);
    for (const value of Object.values(values)) expect(filled).toContain(value);
    expect(toSentence(code)).not.toMatch(/[{}]/);
  });

  test('speaks in whole sentences and never says sorry', () => {
    for (const text of [meaning, sentence, recovery]) expect(text).toMatch(/^\S.*\.$/s);
    expect(sentence).not.toMatch(/sorry|apolog|oops|something went wrong/i);
  });

  test('has a legal HTTP status and a close code that a server may send', () => {
    expect(httpStatus).toBeGreaterThanOrEqual(400);
    expect(httpStatus).toBeLessThanOrEqual(599);
    const legal =
      closeCode === null || [1008, 1011, 1013].includes(closeCode) || (closeCode >= 4000 && closeCode <= 4999);
    expect(legal).toBe(true);
  });

  test('keeps its code, sentence and cause as an exception', () => {
    const cause = new Error('the vendor said so');
    const error = new CandorError(code, { cause });
    expect(error).toMatchObject({ code, message: toSentence(code), cause, info: toErrorInfo(code) });
    expect(JSON.stringify(error.info)).not.toContain('vendor');
  });
});

describe('the table in PROTOCOL.md', () => {
  const rows = parseErrorTable(document);

  test('lists the codes of the catalogue, all of them and no other, in its order', () => {
    expect(rows.map(({ code }) => code)).toEqual(codes);
  });

  test.each(rows)('says of $code what the catalogue says', ({ code, ...row }) => {
    if (!isErrorCode(code)) throw new Error(`unable to find ${code} in the catalogue`);
    const { source, meaning, retryable, httpStatus, closeCode } = errorCatalogue[code];
    expect(row).toEqual({ source, meaning, retryable, httpStatus, closeCode });
  });
});

test('a retry that the backend asked for travels with the error', () => {
  const upstream = { status: 429, requestId: 'req_1' };
  expect(toErrorInfo('llm_rate_limited', { retryAfterMs: 1_500, upstream })).toMatchObject({
    retryAfterMs: 1_500,
    upstream,
  });
  expect(toErrorInfo('llm_rate_limited')).not.toHaveProperty('retryAfterMs');
});

test('names of Object are no codes', () => {
  for (const name of ['toString', '__proto__', '', null, 1]) expect(isErrorCode(name)).toBe(false);
});
