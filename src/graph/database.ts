// Neo4j as the rest of this folder uses it: run a query, or some in a transaction, get plain rows. Nothing is retried
// here, because Temporal owns retries and two owners multiply them; every wait has an end, because a server that accepts
// connections and answers nothing would hold its callers for ever.

import neo4j, { type Driver, type Session } from 'neo4j-driver';
import { CandorError } from '../protocol/errors.ts';
import { toGraphError } from './graph-error.ts';

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

const connectTimeoutMs = 5_000;
const defaultQueryTimeoutMs = 10_000;
const patientTimeoutMs = 120_000;
/** The server's own time-out comes first; this one is for a server that says nothing any more. */
const silenceMs = 2_000;

/** Opens no connection yet; an address that cannot be one throws at once. */
export function createDatabase(options: GraphOptions): Database {
  const { uri, user, password, database = 'neo4j', queryTimeoutMs = defaultQueryTimeoutMs } = options;
  const clock = options.now ?? (() => new Date());
  const driver = neo4j.driver(uri, neo4j.auth.basic(user, password), {
    connectionTimeout: connectTimeoutMs,
    connectionAcquisitionTimeout: connectTimeoutMs,
    maxTransactionRetryTime: 0,
    disableLosslessIntegers: true,
    notificationFilter: { minimumSeverityLevel: 'OFF' },
    userAgent: 'candor',
    telemetryDisabled: true,
  });

  const runAlone =
    (mode: AccessMode, timeoutMs: number): RunQuery =>
    <Row extends object>(cypher: string, parameters: Parameters = {}) =>
      inSession(driver, database, mode, timeoutMs, async (session) => {
        const result = await session.run(cypher, parameters, { timeout: timeoutMs });
        return result.records.map((record) => record.toObject() as Row);
      });

  return {
    read: runAlone('READ', queryTimeoutMs),
    write: runAlone('WRITE', queryTimeoutMs),
    patient: runAlone('WRITE', patientTimeoutMs),
    transaction: (work) =>
      inSession(driver, database, 'WRITE', queryTimeoutMs, async (session) => {
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
    close: () => driver.close(),
  };
}

/** Closing a session rolls back what is still open in it. */
async function inSession<Value>(
  driver: Driver,
  database: string,
  defaultAccessMode: AccessMode,
  timeoutMs: number,
  work: (session: Session) => Promise<Value>,
): Promise<Value> {
  const session = driver.session({ database, defaultAccessMode });
  try {
    return await within(timeoutMs + connectTimeoutMs + silenceMs, async () => {
      try {
        return await work(session);
      } finally {
        await session.close();
      }
    });
  } catch (error) {
    throw toGraphError(error);
  }
}

async function within<Value>(limitMs: number, work: () => Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const cause = new Error(`unable to query Neo4j; no answer within ${limitMs} ms, look at the server's log`);
      reject(new CandorError('graph_unavailable', { cause }));
    }, limitMs);
  });
  try {
    return await Promise.race([work(), silence]);
  } finally {
    clearTimeout(timer);
  }
}
