// Where a page of conversations ends, as an opaque text: the sort key of its last item. A key instead of a number of
// rows, because new messages move conversations while somebody turns the pages.

import { CandorError } from '../protocol/errors.ts';

export interface PageMark {
  readonly updatedAt: string;
  readonly id: string;
}

export function formatPageMark({ updatedAt, id }: PageMark): string {
  return Buffer.from(JSON.stringify([updatedAt, id])).toString('base64url');
}

/** @throws CandorError `invalid_request` for a text that is not a mark of ours */
export function parsePageMark(text: string): PageMark {
  const value = parseJson(Buffer.from(text, 'base64url').toString('utf8'));
  const [updatedAt, id] = Array.isArray(value) ? (value as unknown[]) : [];
  if (typeof updatedAt !== 'string' || typeof id !== 'string') throw invalidMark();
  return { updatedAt, id };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidMark(cause);
  }
}

const invalidMark = (cause?: unknown): CandorError =>
  new CandorError('invalid_request', { facts: { reason: '`next` is not a mark that a page ended with' }, cause });
