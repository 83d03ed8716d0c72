// Neo4j as the rest of this folder uses it: run a query, or some in a transaction, get plain rows. Nothing is retried
// here, because Temporal owns retries and two owners multiply them; every wait has an end, because a server that accepts
// connections and answers nothing would hold its callers for ever.

import neo4j, { type Session } from 'neo4j-driver';
import { CandorError } from '../protocol/errors.ts';
import { toGraphError } from './graph-error.ts';
import { within } from './within.ts';

export interface GraphOptions {
  /** `bolt://…` or `neo4j://…`. */
  readonly uri: string;
  readonly user: string;
  readonly password: string;
  /** Absent: `neo4j`, the only one of the Community Edition. Naming it spares the driver a question per session. */
  readonly database?: string;
  /** For the times in the graph; absent: the clock of this machine. */
  readonly now?: () => Date;
  /** How long a query may take, locks included. */
  readonly queryTimeoutMs?: number;
  /** For a connection, or for one of the pool to become free. */
  readonly connectTimeoutMs?: number;
}

export type Parameters = Readonly<Record<string, unknown>>;
export type RunQuery = <Row extends object>(cypher: string, parameters?: Parameters) => Promise<readonly Row[]>;

type AccessMode = 'READ' | 'WRITE';

export interface Outcome<Value> {
  readonly commit: boolean;
  readonly value: Value;
}

/** Every method: @throws CandorError `graph_unavailable` */
export interface Database {
  /** One query, committed by itself: one round trip. */
  readonly read: RunQuery;
  readonly write: RunQuery;
  /** Several queries; rolled back when `work` throws or says so. */
  transaction<Value>(work: (run: RunQuery) => Promise<Outcome<Value>>): Promise<Value>;
  /** One query that may take as long as it says: building an index. */
  readonly patient: RunQuery;
  /** ISO 8601. */
  now(): string;
  close(): Promise<void>;
}

const defaultConnectTimeoutMs = 5_000;
const defaultQueryTimeoutMs = 10_000;
/** A connection that rested longer is tried before it is used: Neo4j may have been started anew meanwhile. */
const idleIsSuspectMs = 1_000;
const patientTimeoutMs = 120_000;
/** The server's own time-out comes first; this one is for a server that says nothing any more. */
const silenceMs = 2_000;

/** Opens no connection yet; an address that cannot be one throws at once. */
export function createDatabase(options: GraphOptions): Database {
  const { uri, user, password, database = 'neo4j', queryTimeoutMs = defaultQueryTimeoutMs } = options;
  const connectTimeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs;
  const clock = options.now ?? (() => new Date());
  const driver = neo4j.driver(uri, neo4j.auth.basic(user, password), {
    connectionTimeout: connectTimeoutMs,
    connectionAcquisitionTimeout: connectTimeoutMs,
    connectionLivenessCheckTimeout: idleIsSuspectMs,
    maxTransactionRetryTime: 0,
    disableLosslessIntegers: true,
    notificationFilter: { minimumSeverityLevel: 'OFF' },
    userAgent: 'candor',
    telemetryDisabled: true,
  });

  let isClosed = false;

  const inSession = async <Value>(
    defaultAccessMode: AccessMode,
    timeoutMs: number,
    work: (session: Session) => Promise<Value>,
  ): Promise<Value> => {
    // The driver would open new connections, which nobody closes any more.
    if (isClosed)
      throw new CandorError('graph_unavailable', { cause: new Error('unable to query Neo4j; it is closed') });
    const session = driver.session({ database, defaultAccessMode });
    const attempt = async (): Promise<Value> => {
      try {
        return await work(session);
      } finally {
        // Rolls back what is still open.
        await session.close();
      }
    };
    try {
      return await within(timeoutMs + connectTimeoutMs + silenceMs, attempt);
    } catch (error) {
      throw toGraphError(error);
    }
  };

  const runAlone =
    (mode: AccessMode, timeoutMs: number): RunQuery =>
    <Row extends object>(cypher: string, parameters: Parameters = {}) =>
      inSession(mode, timeoutMs, async (session) => {
        const result = await session.run(cypher, parameters, { timeout: timeoutMs });
        return result.records.map((record) => record.toObject() as Row);
      });

  return {
    read: runAlone('READ', queryTimeoutMs),
    write: runAlone('WRITE', queryTimeoutMs),
    patient: runAlone('WRITE', patientTimeoutMs),
    transaction: (work) =>
      inSession('WRITE', queryTimeoutMs, async (session) => {
        // Not awaited: the driver then sends BEGIN together with the first query, which saves a round trip.
        const transaction = session.beginTransaction({ timeout: queryTimeoutMs });
        const run: RunQuery = async <Row extends object>(cypher: string, parameters: Parameters = {}) => {
          const result = await transaction.run(cypher, parameters);
          return result.records.map((record) => record.toObject() as Row);
        };
        const { commit, value } = await work(run);
        await (commit ? transaction.commit() : transaction.rollback());
        return value;
      }),
    now: () => clock().toISOString(),
    async close() {
      isClosed = true;
      await driver.close();
    },
  };
}
