// Runs turns whose backend misbehaves, many side by side on one whole Candor, and says what has to be true of each of
// them whatever went wrong.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { createDatabase } from '../../src/graph/database.ts';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import type { ConversationId } from '../../src/protocol/ids.ts';
import type { Tier } from '../../src/protocol/turn.ts';
import { findBannedSentence } from '../../testing/banned-sentences.ts';
import type { Behaviour } from '../../testing/upstream/upstream.ts';
import type { ChatClient } from '../chat-client.ts';
import { answerTo, createReplies, questionOf } from '../e2e/replies.ts';
import {
  newConversationId,
  newTurnId,
  startStack,
  testServers,
  wireKey,
  type Stack,
  type StackOptions,
} from '../stack.ts';
import { collectEvidence, typesOf, type Evidence } from './evidence.ts';
import { vendorPattern } from './wire-rows.ts';

/** Agents by their id: front matter besides id and name. */
const agents = {
  patient: 'description: Has the published limits.',
  impatient: 'timeouts:\n  firstTokenSeconds: 2\n  silenceSeconds: 2',
  hesitant: 'timeouts:\n  firstTokenSeconds: 3\n  silenceSeconds: 3',
  slow: 'timeouts:\n  firstTokenSeconds: 17',
  dripping: 'timeouts:\n  silenceSeconds: 120\n  turnSeconds: 3',
  unconnected: 'timeouts:\n  connectSeconds: 1',
  nonexistent: 'model: nonexistent/invalid-model-12345',
} as const;
export type AgentName = keyof typeof agents;

export interface FailingTurn extends Evidence {
  /** The message after it in the same conversation. */
  readonly next: Evidence;
}

export interface FailureRig {
  readonly stack: Stack;
  /** A turn that meets these behaviours, one a call, the last one for all further calls. */
  send(
    agentId: AgentName,
    behaviours?: readonly Behaviour[],
    options?: { readonly conversationId?: ConversationId; readonly tier?: Tier },
  ): Promise<Evidence>;
  /** The same, and then another message in its conversation. */
  run(agentId: AgentName, behaviours: readonly Behaviour[]): Promise<FailingTurn>;
  close(): Promise<void>;
}

export async function startFailureRig(
  options: Pick<StackOptions, 'backendUrl' | 'tiers' | 'decorate'> = {},
): Promise<FailureRig> {
  const agentsDir = await mkdtemp(join(tmpdir(), 'candor-agents-'));
  await Promise.all(
    Object.entries(agents).map(([id, more]) =>
      writeFile(join(agentsDir, `${id}.md`), `---\nid: ${id}\nname: ${id}\n${more}\n---\n\nAnswer.\n`),
    ),
  );
  const stack = await startStack({ agentsDir, ...options });
  const replies = createReplies(stack.upstream);
  const database = createDatabase(testServers().neo4j);
  const sockets = new Map<string, Promise<ChatClient>>();
  const socketOf = (agentId: AgentName, tier: Tier): Promise<ChatClient> => {
    const name = `${agentId} ${tier}`;
    const known = sockets.get(name) ?? stack.connect({ agentId, tier });
    sockets.set(name, known);
    return known;
  };
  const send: FailureRig['send'] = async (
    agentId,
    behaviours = [],
    { conversationId = newConversationId(), tier = 'enterprise' } = {},
  ) => {
    const turnId = newTurnId();
    const [first, ...others] = behaviours;
    if (first !== undefined) replies.to(questionOf(turnId), first, ...others);
    const socket = await socketOf(agentId, tier);
    socket.message(turnId, conversationId, questionOf(turnId));
    await socket.untilEnd(turnId);
    return collectEvidence(stack, database, socket, turnId, replies.calls(questionOf(turnId)));
  };
  return {
    stack,
    send,
    async run(agentId, behaviours) {
      const conversationId = newConversationId();
      const evidence = await send(agentId, behaviours, { conversationId });
      // A18: whoever failed, the conversation goes on, with an agent whose limits are the published ones.
      return { ...evidence, next: await send('patient', [], { conversationId }) };
    },
    async close() {
      await stack.close();
      await database.close();
      await rm(agentsDir, { recursive: true, force: true });
    },
  };
}

/** What a turn says that met these failures, one a try; `null` stands for the try that was answered. */
function expectedTypes(tries: readonly (ErrorCode | null)[]): string[] {
  const last = tries.at(-1) ?? null;
  return [
    'turn_accepted',
    'agent_started',
    ...tries.slice(0, -1).flatMap(() => ['agent_thinking', 'attempt_failed']),
    'agent_thinking',
    ...(last === null
      ? ['agent_completed', 'conversation_stored', 'audit_started', 'turn_completed']
      : ['agent_failed', 'turn_failed']),
  ];
}

/** The events in their order, the codes of the tries, the calls that were counted upstream: all tell the same. */
export function expectTries(
  turn: Evidence,
  tries: readonly (ErrorCode | null)[],
  { counted = tries.length }: { readonly counted?: number } = {},
): void {
  expect(typesOf(turn)).toEqual(expectedTypes(tries));
  expect(turn.log.map(({ seq }) => seq)).toEqual(turn.log.map((_, index) => index + 1));
  const failed = turn.log.flatMap((event) =>
    event.type === 'attempt_failed' || event.type === 'agent_failed' ? [event.error.code] : [],
  );
  expect(failed).toEqual(tries.filter((code) => code !== null));
  expect(turn.calls).toHaveLength(counted);
  expect(turn.view.receipt?.attempts.map(({ errorCode }) => errorCode)).toEqual(tries);
  expectTextInPlace(turn);
  expectWaits(turn);
}

/** Every piece of text stands between the beginning of its try and its end (B15). */
function expectTextInPlace({ frames }: Evidence): void {
  let open: number | null = null;
  for (const frame of frames) {
    if (frame.type === 'agent_thinking') open = frame.attempt;
    else if (frame.type === 'delta') expect(frame.attempt).toBe(open);
    else if ('seq' in frame) open = null;
  }
}

/**
 * The next call comes when it was said to come, not before, and the backend's own wish is honoured (C5). By the clock of
 * the model's server: a workflow's own clock stands still between its tasks.
 */
function expectWaits({ log, calls }: Evidence): void {
  const problems = log.flatMap((event) => {
    if (event.type !== 'attempt_failed') return [];
    const { attempt, error, retryAt, time } = event;
    const [saidMs, waitMs] = [Date.parse(retryAt), Date.parse(retryAt) - Date.parse(time)];
    const middleMs = 1_000 * 2 ** (attempt - 1);
    const called = calls[attempt]?.receivedAt ?? Infinity;
    const isRight =
      waitMs >= 0.8 * middleMs &&
      waitMs >= (error.retryAfterMs ?? 0) &&
      (error.retryAfterMs !== undefined || waitMs <= 1.2 * middleMs) &&
      called >= saidMs;
    return isRight ? [] : [{ attempt, time, retryAt, retryAfterMs: error.retryAfterMs, called }];
  });
  expect(problems).toEqual([]);
}

/** An explicit error of this code, told alike everywhere, and nothing that could be taken for an answer (C1, C2). */
export function expectNoAnswer(turn: Evidence, code: ErrorCode): void {
  const last = turn.log.at(-1);
  const error = last?.type === 'turn_failed' ? last.error : null;
  expect(error?.code).toBe(code);
  expect(turn.failureType).toBe(code);
  expect(turn.view).toMatchObject({ state: 'failed', answer: null, error: { code }, steps: [], audit: null });
  expect(turn.view.receipt).toMatchObject({ outcome: 'failed', answerSha256: null });
  expect(turn.stored).toMatchObject({ outcome: 'failed', errorCode: code, stepsJson: '[]' });
  expect(turn.stored['answer']).toBeUndefined();
}

/** No sentence that nobody said, no word of a vendor, no key – in frames, answers of REST, store and history. */
export function expectHonesty(turn: Evidence): void {
  const frames = JSON.stringify(turn.frames);
  const shown = [frames, JSON.stringify(turn.view), JSON.stringify(turn.stored)];
  for (const text of [...shown, turn.history]) {
    expect(findBannedSentence(text)).toBeNull();
    expect(text).not.toContain(wireKey);
  }
  for (const text of [...shown, turn.historyWithoutCauses]) expect(vendorPattern.exec(text)?.[0]).toBeUndefined();
  for (const event of turn.log) {
    if (!('error' in event) || event.error === undefined) continue;
    // C20: what failed, of which backend or model; no hole in the sentence.
    expect(event.error.message).not.toMatch(/unknown|[{}]|undefined|null/);
    expect(event.error.message).toMatch(/wire-model|nonexistent\/invalid-model-12345|https?:\/\//);
  }
}

/** A18: the next message is answered, and nothing of the failed answer is in its prompt. */
export function expectNextWorks({ next }: FailingTurn, discarded = ''): void {
  expectTries(next, [null]);
  const [call] = next.calls;
  expect(next.view).toMatchObject({ state: 'completed', answer: answerTo(call?.body.messages.at(-1)?.content ?? '') });
  const said = call?.body.messages.map(({ content }) => content) ?? [];
  if (discarded.trim() !== '') expect(said).not.toContain(discarded);
}
