// The way of most turns, in two round trips in place of six: a message into a conversation that is free. What linking
// would decide is read without a lock, together with the history; the prompt is made from it; then one query takes the
// conversation's lock, and links the turn and saves its prompt if nothing of what was read has changed. Whatever is not
// this simple goes the way of `linkTurn`, which decides under the lock.

import neo4j from 'neo4j-driver';
import { CandorError } from '../protocol/errors.ts';
import type { TurnId } from '../protocol/ids.ts';
import type { Exchange, TurnGraph } from '../protocol/ports.ts';
import type { TurnInput } from '../protocol/turn.ts';
import type { Database } from './database.ts';
import { collectExchanges } from './history.ts';
import { decideLink, type LinkDecision, type LinkFacts } from './link-decision.ts';
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
import { attachPrompt, toPromptParameters } from './prompts.ts';

const look = `
OPTIONAL MATCH (c:Conversation {id: $conversationId})
${gatherFacts}
${collectExchanges}
RETURN ${factColumns}, c.leaf AS leaf, exchanges`;

/** A conversation that was there must still be: one that its owner has deleted meanwhile is not made anew. */
const lock = `
MATCH (c:Conversation {id: $conversationId})
SET c.lock = $turnId`;

// Every link counts `length` up, and every end of a turn that moves the leaf shows in it.
const ifAsForeseen = `
WITH c
WHERE c.ownerId = $userId AND c.length = $length AND coalesce(c.leaf, '') = $leaf
  AND NOT EXISTS { (c)-[:OPEN]->(:Turn) } AND NOT EXISTS { (:Turn {id: $turnId}) }
WITH c
${addTurn}
${attachPrompt}`;

interface LookRow extends FactsRow {
  readonly leaf: TurnId | null;
  readonly exchanges: readonly Exchange[];
}

export function createLinkForeseen(database: Database): Pick<TurnGraph, 'foresee' | 'linkForeseen'> {
  return {
    async foresee(turn, limit) {
      const parameters = { ...toLockParameters(turn, database.now()), limit: neo4j.int(limit) };
      const [row] = await database.read<LookRow>(look, parameters);
      if (row === undefined) throw new Error(`unable to look ahead of turn ${turn.turnId}; the query gave no row`);
      const facts = toLinkFacts(row, turn);
      const write = decideWrite(turn, facts);
      if (write === null) return null;
      const { previousReceiptSha256 } = facts;
      return { ...write, previousReceiptSha256, leaf: row.leaf, history: row.exchanges };
    },
    async linkForeseen(turn, foreseen, prompt) {
      const now = database.now();
      const isNew = foreseen.position === 1;
      const rows = await database.write(`${isNew ? createAndLock : lock}${ifAsForeseen}`, {
        ...toLockParameters(turn, now),
        ...toTurnParameters(turn, foreseen, now),
        ...toPromptParameters(prompt),
        length: neo4j.int(foreseen.position - 1),
        leaf: foreseen.leaf ?? '',
      });
      return rows.length > 0;
    },
  };
}

/** `null`: it would wait, be refused, or is linked already; only the lock can tell. */
function decideWrite(turn: TurnInput, facts: LinkFacts): LinkDecision['write'] {
  try {
    const { result, write } = decideLink({ turn, released: null, releasedIsGone: false }, facts);
    return result.kind === 'linked' ? write : null;
  } catch (error) {
    // Swallowed: `linkTurn` comes to the same refusal, from what it reads under the lock.
    if (error instanceof CandorError) return null;
    throw error;
  }
}
