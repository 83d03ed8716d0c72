// The prompt of a turn, assembled in the open: the agent's instruction, the exchanges that fit the budget, attachments,
// the retrieved knowledge as a message of its own, and last the user's text, unaltered. Pure.

import { createHash } from 'node:crypto';
import { toCanonicalJson } from '../protocol/canonical.ts';
import type { AgentDefinition, Exchange, KnowledgeHit, PromptMessage, StoredPrompt } from '../protocol/ports.ts';
import type { TurnInput } from '../protocol/turn.ts';

export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** Rough and on the safe side: a token has about four letters in English, fewer elsewhere. */
const tokensOf = (text: string): number => Math.ceil(text.length / 3);

export function assemblePrompt(
  agent: AgentDefinition,
  history: readonly Exchange[],
  knowledge: readonly KnowledgeHit[],
  turn: Pick<TurnInput, 'text' | 'attachments'>,
): StoredPrompt {
  const hits = withinBudget(knowledge, agent.contextTokens, (hit) => hit.text);
  // The newest exchanges matter most: fill the budget from the end.
  const usable = history.filter((exchange) => !exchange.rejected);
  const exchanges = withinBudget([...usable].reverse(), agent.historyTokens, (e) => e.question + e.answer).reverse();
  const messages: PromptMessage[] = [
    { role: 'system', content: agent.systemPrompt },
    ...exchanges.flatMap(({ question, answer }): PromptMessage[] => [
      { role: 'user', content: question },
      { role: 'assistant', content: answer },
    ]),
    ...turn.attachments.map(({ name, text }): PromptMessage => ({
      role: 'user',
      content: `Attached file ${name}:\n\n${text}`,
    })),
    ...(hits.length === 0 ? [] : [{ role: 'system' as const, content: toContextMessage(hits) }]),
    { role: 'user', content: turn.text },
  ];
  const context = hits.map(({ id, source, score }) => ({ id, source, score }));
  return { messages, context, sha256: sha256(toCanonicalJson(messages)) };
}

/** Small models copy more than they follow instructions: each piece ends as the answer should. */
function toContextMessage(hits: readonly KnowledgeHit[]): string {
  const pieces = hits.map(({ source, title, text }) => `### ${title}\n${text}\n\nSource: [${source}]`);
  return [
    'Context from the knowledge base. Each piece ends with its source.',
    ...pieces,
    'Answer the question from this context, and end with the source line of the piece that was used.',
  ].join('\n\n');
}

function withinBudget<Item>(items: readonly Item[], tokens: number, textOf: (item: Item) => string): Item[] {
  let left = tokens;
  const kept: Item[] = [];
  for (const item of items) {
    left -= tokensOf(textOf(item));
    if (left < 0) break;
    kept.push(item);
  }
  return kept;
}
