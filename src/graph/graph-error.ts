// The one place where a failure of Neo4j gets its name. A server that is away, busy, shutting down or that refuses the
// credentials is `graph_unavailable`, so that whoever owns the retries (a Temporal activity) tries again. A wrong query
// or a violated constraint is a bug of ours: it passes unchanged, because trying it again can only hide it.

import neo4j, { Neo4jError } from 'neo4j-driver';
import { CandorError } from '../protocol/errors.ts';

const mayWorkNextTime: readonly RegExp[] = [
  /^ServiceUnavailable$/,
  /^SessionExpired$/,
  /^Neo\.TransientError\./,
  /^Neo\.DatabaseError\./,
  /^Neo\.ClientError\.Security\./,
  /^Neo\.ClientError\.Cluster\./,
  /^Neo\.ClientError\.Database\./,
  /^Neo\.ClientError\.General\.(ForbiddenOnReadOnlyDatabase|TransactionOutOfMemoryError)$/,
  // Somebody deleted the conversation between the look and the lock: the next try finds it gone.
  /^Neo\.ClientError\.Statement\.EntityNotFound$/,
  /^Neo\.ClientError\.Transaction\.(TransactionTimedOut\w*|TransactionTerminated|Terminated|LockClientStopped)$/,
];

// The driver gives these no code of their own: «N/A» stands for misuse and for a missing connection alike.
const connectionIsAway: readonly RegExp[] = [
  /^Connection acquisition timed out/,
  /^Connection timeout after/,
  /^No connection available/,
  /^Pool is closed/,
  /^Server responded HTTP/,
  /^Server certificate is not trusted/,
  /^Encryption certificate rejected/,
];

/** True for a failure that the server or the way to it causes, not the query. */
function isGraphAway(error: unknown): error is Neo4jError {
  if (!(error instanceof Neo4jError)) return false;
  return (
    neo4j.isRetryableError(error) ||
    mayWorkNextTime.some((pattern) => pattern.test(error.code)) ||
    connectionIsAway.some((pattern) => pattern.test(error.message))
  );
}

/** Gives `graph_unavailable` for what Neo4j or the network caused; anything else unchanged, to be thrown on. */
export function toGraphError(error: unknown): unknown {
  return isGraphAway(error) ? new CandorError('graph_unavailable', { cause: error }) : error;
}
