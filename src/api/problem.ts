// Failures of REST as RFC 9457 problem documents, with the same code and sentence as events and frames.

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { CandorError, errorCatalogue, toErrorInfo, type ErrorInfo } from '../protocol/errors.ts';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
}

function toProblem(error: ErrorInfo): Problem {
  const { httpStatus, meaning } = errorCatalogue[error.code];
  return {
    type: `urn:candor:error:${error.code}`,
    title: meaning,
    status: httpStatus,
    code: error.code,
    detail: error.message,
    retryable: error.retryable,
  };
}

/** Fastify's error handler. What is not anticipated is logged whole and told as `internal`. */
export function replyWithProblem(
  error: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const info = toInfo(error);
  if (info.code === 'internal') request.log.error({ error }, 'a bug while handling a request');
  const problem = toProblem(info);
  if (info.retryAfterMs !== undefined) void reply.header('retry-after', Math.ceil(info.retryAfterMs / 1_000));
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
  return reply.code(problem.status).type('application/problem+json').send(problem);
}

function toInfo(error: FastifyError | Error): ErrorInfo {
  if (error instanceof CandorError) return error.info;
  const status = 'statusCode' in error ? error.statusCode : undefined;
  // Fastify refuses bodies by itself: malformed JSON, a wrong media type, one that is too large.
  if (status !== undefined && status >= 400 && status < 500) {
    return toErrorInfo('invalid_request', { facts: { reason: error.message } });
  }
  return toErrorInfo('internal', { facts: { reason: 'an unexpected error' } });
}
