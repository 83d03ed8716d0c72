import { describe, expect, test } from '@jest/globals';
import { Neo4jError } from 'neo4j-driver';
import { toGraphError } from '../../src/graph/graph-error.ts';
import { CandorError } from '../../src/protocol/errors.ts';

const failure = (code: string, message = 'something'): Neo4jError => new Neo4jError(message, code, '', '');

const away: readonly { readonly code: string; readonly message?: string }[] = [
  { code: 'ServiceUnavailable' },
  { code: 'SessionExpired' },
  {
    code: 'N/A',
    message: 'Connection acquisition timed out in 5000 ms. Pool status: Active conn count = 100, Idle conn count = 0.',
  },
  { code: 'N/A', message: 'Pool is closed, it is no more able to serve requests.' },
  { code: 'N/A', message: 'Server responded HTTP. Make sure you are not trying to connect to the http endpoint' },
  { code: 'Neo.ClientError.Security.Unauthorized' },
  { code: 'Neo.ClientError.Security.AuthenticationRateLimit' },
  { code: 'Neo.ClientError.Security.CredentialsExpired' },
  { code: 'Neo.ClientError.Cluster.NotALeader' },
  { code: 'Neo.ClientError.Database.DatabaseNotFound' },
  { code: 'Neo.ClientError.Transaction.TransactionTimedOut' },
  { code: 'Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration' },
  { code: 'Neo.ClientError.Statement.EntityNotFound' },
  { code: 'Neo.TransientError.Transaction.DeadlockDetected' },
  { code: 'Neo.TransientError.General.DatabaseUnavailable' },
  { code: 'Neo.DatabaseError.General.UnknownError' },
];

const bugs: readonly { readonly code: string; readonly message?: string }[] = [
  { code: 'Neo.ClientError.Statement.SyntaxError' },
  { code: 'Neo.ClientError.Statement.ParameterMissing' },
  { code: 'Neo.ClientError.Statement.TypeError' },
  { code: 'Neo.ClientError.Schema.ConstraintValidationFailed' },
  { code: 'Neo.ClientError.Procedure.ProcedureNotFound' },
  { code: 'ProtocolError', message: 'It is not allowed to pass nodes in query parameters' },
  { code: 'N/A', message: 'You cannot run more transactions on a closed session.' },
];

describe('a failure of Neo4j', () => {
  test.each(away)(
    '$code $message: the graph is unavailable, with the driver’s error as the cause',
    ({ code, message }) => {
      const error = failure(code, message);
      const mapped = toGraphError(error) as CandorError;
      expect(mapped).toBeInstanceOf(CandorError);
      expect(mapped.info).toMatchObject({ code: 'graph_unavailable', retryable: true, source: 'graph' });
      expect(mapped.cause).toBe(error);
    },
  );

  test.each(bugs)('$code $message: a bug, passed unchanged', ({ code, message }) => {
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
