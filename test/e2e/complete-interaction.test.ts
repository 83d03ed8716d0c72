// J1: one message through everything, on a real socket, a real Temporal and a real Neo4j; the model is a real server at
// the wire. The client leaves right after its message; every link of the chain is asserted. Nothing sleeps: the test
// waits for workflows to end.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { auditWorkflowId, turnWorkflowId } from '../../src/protocol/ids.ts';
import { answerOf, terminalOf } from '../../src/protocol/transcript.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { answer, verdict } from '../../testing/upstream/upstream.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const chunks = ['A job is ', 'restarted with ', '`conman rr` 🙂', ' [RB-001].'];
const whole = chunks.join('');

describe('the complete interaction', () => {
  test('a message whose sender leaves at once is answered, stored once and audited (J1, A1, A6–A9, D3, D8)', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    const before = stack.upstream.calls.length;
    stack.upstream.chat.enqueue(answer(chunks));
    stack.upstream.audit.enqueue(verdict(false, 0.3, 'the runbook says so'));
    const ada = await stack.connect();
    ada.message(turnId, conversationId, 'How do I restart a job in TWS?');
    await ada.untilEvent(turnId, 'turn_accepted');
    ada.close();

    const turn = stack.client.workflow.getHandle(turnWorkflowId(turnId));
    await turn.result();
    const audit = stack.client.workflow.getHandle(auditWorkflowId(turnId));
    expect(await audit.result()).toEqual({ verdict: 'accepted', confidence: 0.3, reason: 'the runbook says so' });

    const [chatCall, auditCall] = stack.upstream.calls.slice(before);
    const asked = JSON.stringify(chatCall?.body.messages);
    expect(asked).toContain('How do I restart a job in TWS?');
    expect(chatCall?.body.messages.at(-1)).toEqual({ role: 'user', content: 'How do I restart a job in TWS?' });
    const audited = JSON.stringify(auditCall?.body.messages);
    expect(audited).toContain('How do I restart a job in TWS?');
    expect(audited).toContain(JSON.stringify(whole).slice(1, -1).replaceAll('\\', '\\\\').slice(0, 20));
    expect(auditCall?.body.response_format).toMatchObject({ type: 'json_schema' });

    const view = (await (await stack.fetch(`/api/turns/${turnId}`)).json()) as Record<string, unknown>;
    expect(view).toMatchObject({
      turnId,
      conversationId,
      agentId: 'operator',
      state: 'completed',
      answer: whole,
      error: null,
      audit: { auditId: `audit/${turnId}`, verdict: 'accepted', confidence: 0.3 },
    });
    const conversation = (await (await stack.fetch(`/api/conversations/${conversationId}`)).json()) as {
      turns: unknown[];
    };
    expect(conversation.turns).toHaveLength(1);

    const turnInfo = await turn.describe();
    expect(turnInfo.searchAttributes).toMatchObject({
      CandorConversation: [conversationId],
      CandorAgent: ['operator'],
      CandorUser: ['ada'],
      CandorOutcome: ['completed'],
    });
    const auditInfo = await audit.describe();
    expect(auditInfo.searchAttributes).toMatchObject({
      CandorAuditVerdict: ['accepted'],
      CandorAuditConfidence: [0.3],
    });
  });

  test('events arrive in the order of the contract and the deltas are the answer (A5, B1, B12)', async () => {
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    stack.upstream.chat.enqueue(answer(chunks));
    const ada = await stack.connect();
    ada.message(turnId, conversationId, 'How do I restart a job in TWS?');
    const transcript = await ada.untilEnd(turnId);
    expect(transcript.log.map((event) => event.type)).toEqual([
      'turn_accepted',
      'agent_started',
      'agent_thinking',
      'agent_completed',
      'conversation_stored',
      'audit_started',
      'turn_completed',
    ]);
    const deltas = ada.events(turnId).flatMap((event) => (event.type === 'delta' ? [event] : []));
    expect(deltas.map((delta) => delta.text).join('')).toBe(whole);
    expect(answerOf(transcript)).toBe(whole);
    expect(terminalOf(transcript)).toMatchObject({ type: 'turn_completed', receipt: { outcome: 'completed' } });
    await stack.client.workflow.getHandle(auditWorkflowId(turnId)).result();
  });
});
