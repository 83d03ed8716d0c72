// A turn costs the same number of history events, and its bytes grow by the answer's own and nothing else: neither
// tokens nor prompts enter the history. Counted by a real Temporal server.

import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newConversationId, startStack, type Stack } from '../stack.ts';
import { measureTurn, writeAgents, type TurnCost } from '../turn-cost.ts';

/** The published bound. */
const maxEvents = 40;

/**
 * The answer is one field of the result of `stream`, and that is in five length-delimited messages of protobuf: payload
 * data, payload, payloads, the event's attributes, the event. Each length takes one to three bytes here, two more at
 * most for a longer answer.
 */
const frameBytes = 5 * 2;
/**
 * Between any two turns: a time stamp's nanoseconds are a varint of one to five bytes and each event has one, the size
 * that a workflow task reports of the history so far is a varint too, and server ids count upwards.
 */
const clockBytesPerEvent = 4 + 2;
const spreadOf = ({ events }: TurnCost): number => events * clockBytesPerEvent;

let agentsDir: string;
let stack: Stack;
beforeAll(async () => {
  agentsDir = await writeAgents();
  stack = await startStack({ agentsDir });
});
afterAll(async () => {
  await stack.close();
  await rm(agentsDir, { recursive: true });
});

describe('the history of a turn', () => {
  test('has the same events for an answer of 20 and of 2,000 tokens; its bytes differ by the answer (A10)', async () => {
    const short = await measureTurn(stack, { agentId: 'short', tokens: 20 });
    const long = await measureTurn(stack, { agentId: 'short', tokens: 2_000 });
    expect(long.events).toBe(short.events);
    expect(long.events).toBeLessThanOrEqual(maxEvents);
    const answer = long.answerBytes - short.answerBytes;
    expect(answer).toBe(1_980 * 5);
    expect(long.bytes - short.bytes).toBeLessThanOrEqual(answer + frameBytes + spreadOf(long));
    // The text is there once: it is read back from nowhere else until it is stored.
    expect(long.bytes - short.bytes).toBeGreaterThanOrEqual(answer - spreadOf(long));
  });

  test('has nothing of an instruction of 30,000 tokens', async () => {
    const small = await measureTurn(stack, { agentId: 'short', tokens: 20 });
    const large = await measureTurn(stack, { agentId: 'large', tokens: 20 });
    expect(large.promptChars - small.promptChars).toBeGreaterThan(110_000);
    expect(large.events).toBe(small.events);
    expect(Math.abs(large.bytes - small.bytes)).toBeLessThanOrEqual(spreadOf(large));
  });

  test('has nothing of a conversation of 30,000 tokens', async () => {
    const thirdOf = async (tokens: number): Promise<TurnCost> => {
      const conversationId = newConversationId();
      await measureTurn(stack, { agentId: 'short', tokens, conversationId });
      await measureTurn(stack, { agentId: 'short', tokens, conversationId });
      return measureTurn(stack, { agentId: 'short', tokens: 20, conversationId });
    };
    const small = await thirdOf(20);
    const large = await thirdOf(15_000);
    expect(large.promptChars - small.promptChars).toBeGreaterThan(110_000);
    expect(large.events).toBe(small.events);
    expect(Math.abs(large.bytes - small.bytes)).toBeLessThanOrEqual(spreadOf(large));
  });
});
