// What one turn costs in history, as the server counts it. Used by the test that bounds it and the benchmark that
// prints it.

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { turnWorkflowId, type ConversationId } from '../src/protocol/ids.ts';
import { newConversationId, newTurnId, type Stack } from './stack.ts';
import { answer } from '../testing/upstream/upstream.ts';

export interface TurnCost {
  readonly events: number;
  readonly bytes: number;
  /** UTF-8, of the answer's text. */
  readonly answerBytes: number;
  /** UTF-16 units of all messages that the model was sent. */
  readonly promptChars: number;
}

export interface TurnToMeasure {
  readonly agentId: string;
  readonly tokens: number;
  /** Absent: a new one. */
  readonly conversationId?: ConversationId;
}

/** The same numbers for every turn: reported usage is part of a history, and its digits are no cost of the text. */
const usage = { prompt_tokens: 1_000, completion_tokens: 1_000, total_tokens: 2_000 };

/** One token a chunk, five letters each, none of which JSON escapes. */
const toTokens = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => ` ${(index % 10_000).toString().padStart(4, '0')}`);

/** Runs one turn to its end, on a socket of its own. */
export async function measureTurn(
  stack: Stack,
  { agentId, tokens, conversationId = newConversationId() }: TurnToMeasure,
): Promise<TurnCost> {
  const turnId = newTurnId();
  const chunks = toTokens(tokens);
  const before = stack.upstream.calls.length;
  stack.upstream.chat.enqueue(answer(chunks, { usage }));
  const socket = await stack.connect({ agentId });
  socket.message(turnId, conversationId, 'How do I restart a job?');
  await socket.untilEvent(turnId, 'turn_accepted');
  await stack.client.workflow.getHandle(turnWorkflowId(turnId)).result();
  socket.close();
  const call = stack.upstream.calls.slice(before).find(({ isJson }) => !isJson);
  if (call === undefined) throw new Error('unable to measure the turn; the model was not called');
  return {
    ...(await stack.history(turnId)),
    answerBytes: Buffer.byteLength(chunks.join('')),
    promptChars: call.body.messages.reduce((sum, { content }) => sum + content.length, 0),
  };
}

/** A folder with the agents `short` and `large`, alike but for a system prompt of a hundred characters and of 120,000. */
export async function writeAgents(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'candor-agents-'));
  const line = 'Answer from the context only; copy each command exactly as the context writes it, with its source. ';
  for (const [id, lines] of [
    ['short', 1],
    ['large', 1_200],
  ] as const) {
    const head = [
      '---',
      `id: ${id}`,
      'name: Agent',
      'history:',
      '  tokens: 60000',
      'context:',
      '  documents: 0',
      '---',
    ];
    await writeFile(join(dir, `${id}.md`), `${head.join('\n')}\n${line.repeat(lines)}\n`);
  }
  return dir;
}
