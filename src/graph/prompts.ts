// The assembled prompt of a turn, kept beside it and passed by reference: it is the largest thing of a turn and must
// not enter a workflow's history.

import { CandorError } from '../protocol/errors.ts';
import type { ContextItem } from '../protocol/events.ts';
import type { PromptMessage, StoredPrompt, TurnGraph } from '../protocol/ports.ts';
import type { Database, Parameters } from './database.ts';

/** Behind a bound `t`, whose conversation is locked. Gives a row. */
export const attachPrompt = `
MERGE (p:Prompt {turnId: t.id})
MERGE (t)-[:PROMPT]->(p)
SET p.sha256 = $sha256, p.messagesJson = $messagesJson, p.contextJson = $contextJson
WITH t
CALL (t) {
  MATCH (t)-[old:USED]->(:Chunk)
  DELETE old
}
CALL (t) {
  UNWIND $context AS id
  MATCH (k:Chunk {id: id})
  CREATE (t)-[:USED]->(k)
}
RETURN t.id AS turnId`;

/** For {@link attachPrompt}. */
export const toPromptParameters = ({ sha256, messages, context }: StoredPrompt): Parameters => ({
  sha256,
  messagesJson: JSON.stringify(messages),
  contextJson: JSON.stringify(context),
  context: [...new Set(context.map((item) => item.id))].sort(),
});

// Under the conversation's lock: a prompt that came while its owner deletes the conversation would outlive it.
const save = `
MATCH (:Turn {id: $turnId})<-[:HAS]-(c:Conversation)
SET c.lock = $turnId
WITH c
MATCH (c)-[:HAS]->(t:Turn {id: $turnId})
${attachPrompt}`;

const read = `
MATCH (p:Prompt {turnId: $turnId})
RETURN p.sha256 AS sha256, p.messagesJson AS messagesJson, p.contextJson AS contextJson`;

interface PromptRow {
  readonly sha256: string;
  readonly messagesJson: string;
  readonly contextJson: string;
}

export function createPrompts(database: Database): Pick<TurnGraph, 'savePrompt' | 'readPrompt'> {
  return {
    /** @throws CandorError `turn_not_found` when the owner has deleted the conversation meanwhile */
    async savePrompt(turnId, prompt) {
      const [row] = await database.write(save, { turnId, ...toPromptParameters(prompt) });
      if (row === undefined) throw new CandorError('turn_not_found');
    },
    async readPrompt(turnId) {
      const [row] = await database.read<PromptRow>(read, { turnId });
      return row === undefined ? null : toPrompt(row);
    },
  };
}

function toPrompt({ sha256, messagesJson, contextJson }: PromptRow): StoredPrompt {
  return {
    sha256,
    messages: JSON.parse(messagesJson) as PromptMessage[],
    context: JSON.parse(contextJson) as ContextItem[],
  };
}
