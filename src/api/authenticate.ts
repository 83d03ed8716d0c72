// Every route but the public ones knows its caller before it does anything.

import type { FastifyRequest } from 'fastify';
import type { Caller } from './auth/caller.ts';
import { readToken } from './auth/socket-token.ts';
import type { VerifyToken } from './auth/token-verifier.ts';

const callers = new WeakMap<FastifyRequest, Caller>();

/** A hook that verifies the request's token. @throws CandorError `unauthenticated` */
export function createAuthenticate(verifyToken: VerifyToken) {
  return async (request: FastifyRequest): Promise<void> => {
    callers.set(request, await verifyToken(readToken(request.headers)));
  };
}

/** The caller of a request that passed the hook. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error('unable to tell who calls; the route lacks the hook that verifies tokens');
  return caller;
}
