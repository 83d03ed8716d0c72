// The audit while its parts are away: it goes on without the user, ends with a verdict or says that there is none, and
// whoever watches the conversation is told at any gateway, also one that shares no lane with the audit's worker.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CandorError } from '../../src/protocol/errors.ts';
import { auditWorkflowId, type TurnId } from '../../src/protocol/ids.ts';
import { terminalOf } from '../../src/protocol/transcript.ts';
import { answer, refuse, verdict } from '../../testing/upstream/upstream.ts';
import { createReplies } from '../e2e/replies.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';

/** The records of these turns' audits are refused so often. */
const refusals = new Map<TurnId, number>();
let worker: Stack;
let gateway: Stack;
beforeAll(async () => {
  worker = await startStack({
    roles: 'worker',
    decorate: {
      graph: (inner) => ({
        ...inner,
        async saveAudit(record) {
          const left = refusals.get(record.turnId) ?? 0;
          refusals.set(record.turnId, left - 1);
          if (left > 0) throw new CandorError('graph_unavailable');
          return inner.saveAudit(record);
        },
      }),
    },
  });
  const { upstream, options } = worker;
  createReplies(upstream);
  gateway = await startStack({ roles: 'gateway', upstream, taskQueue: options.temporal.taskQueue });
}, 180_000);
afterAll(async () => {
  await gateway.close();
  await worker.close();
});

const auditOf = (turnId: TurnId) => gateway.client.workflow.getHandle(auditWorkflowId(turnId));
const viewOf = async (turnId: TurnId): Promise<unknown> => (await gateway.fetch(`/api/turns/${turnId}`)).json();

async function sendTurn() {
  const [turnId, conversationId] = [newTurnId(), newConversationId()];
  const ada = await gateway.connect();
  ada.message(turnId, conversationId, 'How do I restart a job?');
  expect(terminalOf(await ada.untilEnd(turnId))?.type).toBe('turn_completed');
  return { turnId, conversationId, ada };
}

describe('D1: an audit', () => {
  test('whose model refuses for good puts the turn before a person, and says so to watchers of another process', async () => {
    worker.upstream.audit.enqueue(refuse(401));
    const { turnId, conversationId, ada } = await sendTurn();
    const watcher = await gateway.connect();
    watcher.send({ type: 'watch', conversationId });
    const failed = { auditId: auditWorkflowId(turnId), error: { code: 'llm_auth' } };
    expect(await ada.untilEvent(turnId, 'audit_failed')).toMatchObject(failed);
    expect(await watcher.untilEvent(turnId, 'audit_failed')).toMatchObject(failed);
    expect(await viewOf(turnId)).toMatchObject({ state: 'completed', audit: { verdict: 'failed', confidence: null } });
    await expect(auditOf(turnId).result()).rejects.toMatchObject({ cause: { type: 'llm_auth' } });
  });

  test('whose model answers in prose has no verdict until it answers in the form', async () => {
    worker.upstream.audit.enqueue(answer('I think the answer is fine.'), verdict(true, 0.9, 'contradicts the runbook'));
    const { turnId, ada } = await sendTurn();
    expect(await ada.untilEvent(turnId, 'audit_completed')).toMatchObject({ verdict: 'rejected', confidence: 0.9 });
    const asked = worker.upstream.calls.filter((call) => call.isJson);
    expect(asked.length).toBeGreaterThanOrEqual(2);
  });

  test('whose record is refused while the graph is away is recorded once when it is back', async () => {
    // A second question to the auditor would give another verdict.
    worker.upstream.audit.enqueue(verdict(false, 0.2), verdict(true, 0.99));
    const [turnId, conversationId] = [newTurnId(), newConversationId()];
    refusals.set(turnId, 2);
    const ada = await gateway.connect();
    ada.message(turnId, conversationId, 'How do I restart a job?');
    expect(await ada.untilEvent(turnId, 'audit_completed')).toMatchObject({ verdict: 'accepted', confidence: 0.2 });
    expect(refusals.get(turnId)).toBe(-1);
  });
});
