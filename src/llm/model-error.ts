// The one arrow from a backend's failure to an error of ours: what was seen at the wire goes in, a code of the
// catalogue comes out. The vendor's own words stay behind as the `cause`, cut and without the key.

import { CandorError, type CandorErrorOptions, type ErrorCode } from '../protocol/errors.ts';
import type { VendorError } from './vendor-error.ts';

/** What is known about a call when it fails. */
export interface FailedCall {
  readonly model: string;
  readonly backend: string;
  /** Never leaves in any text. */
  readonly secrets: readonly string[];
  /** `null`: the backend sent no headers. */
  readonly upstream: { readonly status: number | null; readonly requestId: string | null } | null;
}

/** Reason that tells «not yet» from «broken»: the local server says so while it loads its weights. */
const modelLoadingReason = 'the model is still loading';

const maxCauseLength = 2_000;

export function toModelError(
  call: FailedCall,
  code: ErrorCode,
  {
    facts = {},
    cause,
    ...rest
  }: Omit<CandorErrorOptions, 'upstream' | 'cause'> & { cause?: { name: string; text: string } } = {},
): CandorError {
  return new CandorError(code, {
    ...rest,
    facts: { model: call.model, backend: call.backend, ...facts },
    ...(cause === undefined ? {} : { cause: toCause(call, cause) }),
    ...(call.upstream === null ? {} : { upstream: call.upstream }),
  });
}

/** A backend that answered with another status than 200. */
export function toRefusal(
  call: FailedCall,
  status: number,
  vendor: VendorError,
  retryAfterMs: number | null,
): CandorError {
  const { code, ...verdict } = judge(status, vendor);
  return toModelError(call, code, {
    ...verdict,
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
    cause: { name: 'ModelBackendError', text: toCauseText(vendor, `status ${status}`) },
  });
}

/** An error object in the middle of a stream. What it does not say counts as the server's fault. */
export function toStreamedError(call: FailedCall, vendor: VendorError): CandorError {
  const { code, ...verdict } = judge(vendor.status ?? toStatus(vendor), vendor);
  const reason = vendor.status === null ? 'an error in the middle of the answer' : `status ${vendor.status}`;
  return toModelError(call, code, {
    ...verdict,
    facts: { reason, ...(code === 'llm_unavailable' ? {} : verdict.facts) },
    cause: { name: 'ModelBackendError', text: toCauseText(vendor, 'an error object in the stream') },
  });
}

/** No connection, or one that was lost before the first byte of the stream. */
export function toConnectionError(call: FailedCall, cause: unknown): CandorError {
  return toModelError(call, 'llm_unavailable', {
    facts: { reason: toConnectionReason(cause) },
    cause: { name: 'ConnectionError', text: flatten(cause) },
  });
}

export function toTimeout(call: FailedCall, limitMs: number, what: string): CandorError {
  const seconds = limitMs / 1_000;
  return toModelError(call, 'llm_timeout', {
    facts: { seconds, what },
    cause: { name: 'TimeoutError', text: `${what} within ${seconds} s` },
  });
}

export function toTruncated(call: FailedCall, cause: unknown): CandorError {
  return toModelError(call, 'llm_stream_truncated', { cause: { name: 'ConnectionError', text: flatten(cause) } });
}

export function toInvalidOutput(call: FailedCall, reason: string): CandorError {
  return toModelError(call, 'llm_invalid_output', { facts: { reason } });
}

type Verdict = Pick<CandorErrorOptions, 'facts' | 'retryable'> & { readonly code: ErrorCode };

const contextCodes = ['context_length_exceeded', 'exceed_context_size_error', 'context_too_long'];
// vLLM and older llama.cpp say it in words only.
const contextWords =
  /maximum context length|context (length|size|window)|available context|prompt is too long|max_model_len/i;
const quotaCodes = ['insufficient_quota', 'billing_hard_limit_reached', 'billing_not_active', 'insufficient_balance'];
const filterCodes = ['content_filter', 'content_policy_violation'];

function judge(status: number, vendor: VendorError): Verdict {
  const says = (codes: readonly string[]): boolean => codes.includes(vendor.code) || codes.includes(vendor.type);
  const malformed: Verdict = {
    code: 'llm_invalid_output',
    retryable: false,
    facts: { reason: `it refused the request with status ${status}` },
  };
  if (says(contextCodes)) return { code: 'llm_context_too_long' };
  if (says(quotaCodes)) return { code: 'llm_quota_exhausted' };
  if (says(filterCodes)) return { code: 'llm_content_filtered' };
  switch (status) {
    case 400:
    case 422:
      return contextWords.test(vendor.message) ? { code: 'llm_context_too_long' } : malformed;
    case 401:
    case 403:
      return { code: 'llm_auth' };
    case 402:
      return { code: 'llm_quota_exhausted' };
    case 404:
      return { code: 'llm_model_not_found' };
    case 413:
      return { code: 'llm_context_too_long' };
    case 429:
      return { code: 'llm_rate_limited' };
    case 408:
    case 409:
      return { code: 'llm_unavailable', facts: { reason: `status ${status}` } };
    default:
      if (status < 500) return malformed;
      return {
        code: 'llm_unavailable',
        facts: { reason: isLoading(vendor) ? modelLoadingReason : `status ${status}` },
      };
  }
}

const isLoading = ({ code, message }: VendorError): boolean =>
  code === 'model_loading' || /^loading model/i.test(message);

/** The status that an error object in a stream would have had, by its words. */
function toStatus({ code, type }: VendorError): number {
  const words = `${code} ${type}`;
  if (/rate_limit/.test(words)) return 429;
  if (/authentication|invalid_api_key|permission/.test(words)) return 401;
  if (/model_not_found/.test(words)) return 404;
  if (/invalid_request|bad_?request/.test(words)) return 400;
  return 500;
}

const reasons: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, 'connection refused'],
  [/ENOTFOUND|EAI_AGAIN/, 'its name could not be resolved'],
  [/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL|EPROTO/, 'no trusted TLS connection'],
  [/EHOSTUNREACH|ENETUNREACH/, 'no route to it'],
  [/ETIMEDOUT|TIMEOUT/, 'no connection in time'],
  [/HPE_/, 'what answered speaks no HTTP'],
];

function toConnectionReason(cause: unknown): string {
  const codes = chain(cause)
    .map(({ code }) => code)
    .join(' ');
  return reasons.find(([pattern]) => pattern.test(codes))?.[1] ?? 'the connection was closed before an answer';
}

/** Whether opening the connection took longer than was allowed. */
export function isConnectTimeout(cause: unknown): boolean {
  return chain(cause).some(({ code }) => code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT');
}

/** An error and what caused it. By shape, not by class: they come from several realms. */
function chain(error: unknown): readonly { readonly code: string; readonly message: string }[] {
  const links: { code: string; message: string }[] = [];
  for (let link = error; link !== null && typeof link === 'object' && links.length < 8;) {
    const { code, message, cause } = link as { code?: unknown; message?: unknown; cause?: unknown };
    links.push({ code: toText(code), message: toText(message) });
    link = cause;
  }
  return links;
}

const toText = (value: unknown): string => (typeof value === 'string' ? value : '');

const flatten = (error: unknown): string =>
  chain(error)
    .map(({ code, message }) => (code === '' || message.includes(code) ? message : `${message} (${code})`))
    .join(': ');

const toCauseText = ({ code, type, message }: VendorError, where: string): string =>
  [where, code, type, message].filter((part) => part !== '').join('; ');

/** The vendor's words for the operator. A backend may echo the key: it is taken out. */
function toCause({ secrets }: FailedCall, { name, text }: { name: string; text: string }): Error {
  const clean = secrets
    .filter((secret) => secret.length > 0)
    .reduce((masked, secret) => masked.replaceAll(secret, '***'), text)
    .replace(/\b(sk|key)-[\w-]{8,}/g, '$1-***');
  const cause = new Error(clean.slice(0, maxCauseLength));
  cause.name = name;
  return cause;
}
