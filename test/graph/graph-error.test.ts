import { describe, expect, test } from '@jest/globals';
import { Neo4jError } from 'neo4j-driver';
import { toGraphError } from '../../src/graph/graph-error.ts';
import { CandorError } from '../../src/protocol/errors.ts';

const failure = (code: string, message = 'something'): Neo4jError => new Neo4jError(message, code, '', '');

const away: readonly [code: string, message?: string][] = [
  ['ServiceUnavailable'],
  ['SessionExpired'],
  ['N/A', 'Connection acquisition timed out in 5000 ms. Pool status: Active conn count = 100, Idle conn count = 0.'],
  ['N/A', 'Pool is closed, it is no more able to serve requests.'],
  ['N/A', 'Server responded HTTP. Make sure you are not trying to connect to the http endpoint'],
  ['Neo.ClientError.Security.Unauthorized'],
  ['Neo.ClientError.Security.AuthenticationRateLimit'],
  ['Neo.ClientError.Security.CredentialsExpired'],
  ['Neo.ClientError.Cluster.NotALeader'],
  ['Neo.ClientError.Database.DatabaseNotFound'],
  ['Neo.ClientError.Transaction.TransactionTimedOut'],
  ['Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration'],
  ['Neo.TransientError.Transaction.DeadlockDetected'],
  ['Neo.TransientError.General.DatabaseUnavailable'],
  ['Neo.DatabaseError.General.UnknownError'],
];

const bugs: readonly [code: string, message?: string][] = [
  ['Neo.ClientError.Statement.SyntaxError'],
  ['Neo.ClientError.Statement.ParameterMissing'],
  ['Neo.ClientError.Statement.TypeError'],
  ['Neo.ClientError.Schema.ConstraintValidationFailed'],
  ['Neo.ClientError.Procedure.ProcedureNotFound'],
  ['ProtocolError', 'It is not allowed to pass nodes in query parameters'],
  ['N/A', 'You cannot run more transactions on a closed session.'],
];

describe('a failure of Neo4j', () => {
  test.each(away)('%s %s: the graph is unavailable, with the driver’s error as the cause', (code, message) => {
    const error = failure(code, message);
    const mapped = toGraphError(error) as CandorError;
    expect(mapped).toBeInstanceOf(CandorError);
    expect(mapped.info).toMatchObject({ code: 'graph_unavailable', retryable: true, source: 'graph' });
    expect(mapped.cause).toBe(error);
  });

  test.each(bugs)('%s %s: a bug, passed unchanged', (code, message) => {
    const error = failure(code, message);
    expect(toGraphError(error)).toBe(error);
  });

  test('what is not the driver’s passes unchanged', () => {
    const error = new TypeError('x is not a function');
    expect(toGraphError(error)).toBe(error);
    const known = new CandorError('turn_not_found');
    expect(toGraphError(known)).toBe(known);
  });
});
