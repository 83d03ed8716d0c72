// What the servers themselves say of a turn after everything is healed: Neo4j by a query of our own, Temporal by its own
// client, and both gateways as anybody can ask them.

import { WorkflowNotFoundError } from '@temporalio/client';
import type { TurnView } from '../../src/api/turn-view.ts';
import { auditWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import type { LoggedEvent } from '../../src/protocol/turn.ts';
import type { Site } from './site.ts';

export interface GraphTruth {
  readonly outcome: string | null;
  readonly answer: string | null;
  readonly log: readonly LoggedEvent[];
  readonly verdicts: readonly string[];
}

/** Turns that the graph does not know are absent. */
export async function readGraph(
  site: Pick<Site, 'neo4j'>,
  turnIds: readonly TurnId[],
): Promise<ReadonlyMap<TurnId, GraphTruth>> {
  const { records } = await site.neo4j.executeQuery(
    `UNWIND $turnIds AS id
     MATCH (t:Turn {id: id})
     OPTIONAL MATCH (a:AuditRecord)-[:AUDITS]->(t)
     RETURN id, t.outcome AS outcome, t.answer AS answer, t.logJson AS logJson, collect(a.verdict) AS verdicts`,
    { turnIds },
  );
  return new Map(
    records.map((record) => {
      const { id, outcome, answer, logJson, verdicts } = record.toObject() as Row;
      const log = logJson === null ? [] : (JSON.parse(logJson) as LoggedEvent[]);
      return [id, { outcome, answer, log, verdicts }];
    }),
  );
}

interface Row {
  readonly id: TurnId;
  readonly outcome: string | null;
  readonly answer: string | null;
  readonly logJson: string | null;
  readonly verdicts: readonly string[];
}

/** As each gateway shows it; `null`: it says that there is no such turn. */
export function readViews(site: Site, turnId: TurnId): Promise<readonly (TurnView | null)[]> {
  const headers = { authorization: `Bearer ${site.token}` };
  return Promise.all(
    site.gatewayUrls.map(async (url) => {
      const response = await fetch(`${url}/api/turns/${turnId}`, { headers, signal: AbortSignal.timeout(20_000) });
      if (response.status === 404) return null;
      if (!response.ok) throw new Error(`unable to read turn ${turnId}; ${url} answers ${response.status}`);
      return (await response.json()) as TurnView;
    }),
  );
}

/** Status of the audit's workflow; `null`: there is none. */
export async function readAudit(site: Site, turnId: TurnId): Promise<string | null> {
  try {
    return (await site.temporal.workflow.getHandle(auditWorkflowId(turnId)).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
