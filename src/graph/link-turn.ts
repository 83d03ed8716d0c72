// Links a turn into its conversation, in one transaction whose first act is the conversation's write lock: messages
// that arrive together, also the first ones of a conversation that is not there yet, are linked one after the other.
// Two queries: read under the lock, write what was decided. A conversation is created by the first and rolled back when
// the decision is to write nothing.

import type { LinkTurnInput, LinkTurnResult } from '../protocol/ports.ts';
import type { Database } from './database.ts';
import { decideLink } from './link-decision.ts';
import {
  addTurn,
  createAndLock,
  factColumns,
  gatherFacts,
  toLinkFacts,
  toLockParameters,
  toTurnParameters,
  type FactsRow,
} from './link-query.ts';

const lockAndRead = `${createAndLock}
WITH c
${gatherFacts}
RETURN ${factColumns}`;

const link = `
MATCH (c:Conversation {id: $conversationId})
WITH c
${addTurn}`;

// LOST keeps it in sight of whoever can find out how it ended.
const markGone = `
MATCH (t:Turn {id: $turnId})<-[open:OPEN]-(c:Conversation {id: $conversationId})
SET t.outcome = 'failed', t.errorCode = 'internal', t.storedAt = $now
DELETE open
CREATE (c)-[:LOST]->(t)`;

export function createLinkTurn(database: Database): (input: LinkTurnInput) => Promise<LinkTurnResult> {
  return (input) =>
    database.transaction(async (run) => {
      const { turn, released } = input;
      const { conversationId, turnId } = turn;
      const now = database.now();
      const [row] = await run<FactsRow>(lockAndRead, toLockParameters(turn, now));
      if (row === undefined) throw new Error(`unable to link turn ${turnId}; the query gave no row`);
      const { write, result } = decideLink(input, toLinkFacts(row, turn));
      const gone = input.releasedIsGone ? released : null;
      if (gone !== null) await run(markGone, { conversationId, turnId: gone, now });
      if (write !== null) await run(link, { conversationId, ...toTurnParameters(turn, write, now) });
      return { commit: gone !== null || write !== null, value: result };
    });
}
