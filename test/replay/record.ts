// Records histories of real turns, for replay.test.ts. No test by its name, so that it runs only when it is asked for
// (`npm run record-histories`): what is recorded stands for the turns that are open when a new version of the workflows is
// deployed. A history that is there already stays as it is; a case whose file is missing is recorded by today's workflows.

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { auditWorkflowId, turnWorkflowId, type ConversationId, type TurnId } from '../../src/protocol/ids.ts';
import type { BusyMode } from '../../src/protocol/turn.ts';
import { createOpenActivities } from '../../src/run/open-activities.ts';
import type { ChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { answer, createValve, refuse, verdict, type Valve } from '../../testing/upstream/upstream.ts';
import { startKillableWorkers, type KillableWorkers } from '../e2e/killable-workers.ts';
import { toRecordedJson } from './recorded-json.ts';

const histories = fileURLToPath(new URL('histories/', import.meta.url));
const chunks = ['A job is ', 'restarted with ', '`conman rr` [RB-001].'];

async function keep(name: string, handle: WorkflowHandle): Promise<void> {
  const path = `${histories}${name}.json`;
  if (!existsSync(path)) await writeFile(path, toRecordedJson(await handle.fetchHistory()), { flag: 'wx' });
}

describe('recording', () => {
  let stack: Stack;
  let ada: ChatClient;
  beforeAll(async () => {
    stack = await startStack();
    ada = await stack.connect();
    await mkdir(histories, { recursive: true });
  });
  afterAll(() => stack.close());

  async function record(name: string, workflowId: string): Promise<void> {
    const handle = stack.client.workflow.getHandle(workflowId);
    await handle.result().catch((error: unknown) => {
      if (!(error instanceof WorkflowFailedError)) throw error;
    });
    await keep(name, handle);
  }
  async function recordTurn(name: string, turnId: TurnId): Promise<void> {
    await ada.untilEnd(turnId);
    await record(name, turnWorkflowId(turnId));
  }
  function say(conversationId: ConversationId, busy?: BusyMode): TurnId {
    const turnId = newTurnId();
    ada.message(turnId, conversationId, 'How do I restart a job in TWS?', busy);
    return turnId;
  }
  /** A turn whose model has said its first words and waits for the valve. */
  async function sayAndHold(conversationId = newConversationId()): Promise<{ turnId: TurnId; valve: Valve }> {
    const valve = createValve();
    stack.upstream.chat.enqueue(answer(chunks, { valve }));
    const turnId = say(conversationId);
    valve.pass(1);
    await ada.until((frame) => frame.type === 'delta' && frame.turnId === turnId);
    return { turnId, valve };
  }

  test('a turn that is answered, and its audit', async () => {
    stack.upstream.chat.enqueue(answer(chunks));
    stack.upstream.audit.enqueue(verdict(false, 0.3));
    const turnId = say(newConversationId());
    await recordTurn('chat-turn-completed', turnId);
    await record('audit-accepted', auditWorkflowId(turnId));
  });

  test('a turn whose first call failed', async () => {
    stack.upstream.chat.enqueue(refuse(503), answer(chunks));
    await recordTurn('chat-turn-retried', say(newConversationId()));
  });

  test('a turn that failed', async () => {
    stack.upstream.chat.enqueue(refuse(401));
    await recordTurn('chat-turn-failed', say(newConversationId()));
  });

  test('a turn that its user stopped', async () => {
    const { turnId } = await sayAndHold();
    ada.send({ type: 'cancel', turnId });
    await recordTurn('chat-turn-stopped', turnId);
  });

  test('a turn with a signed receipt that is answered', async () => {
    stack.upstream.chat.enqueue(answer(chunks));
    await recordTurn('chat-turn-signed-completed', say(newConversationId()));
  });

  test('a turn with a signed receipt that failed', async () => {
    stack.upstream.chat.enqueue(refuse(401));
    await recordTurn('chat-turn-signed-failed', say(newConversationId()));
  });

  test('a turn with a signed receipt that its user stopped', async () => {
    const { turnId } = await sayAndHold();
    ada.send({ type: 'cancel', turnId });
    await recordTurn('chat-turn-signed-stopped', turnId);
  });

  test('a turn that an operator cancelled', async () => {
    const { turnId } = await sayAndHold();
    await stack.client.workflow.getHandle(turnWorkflowId(turnId)).cancel();
    await recordTurn('chat-turn-cancelled-by-operator', turnId);
  });

  test('a turn that waited for another', async () => {
    const conversationId = newConversationId();
    const first = await sayAndHold(conversationId);
    stack.upstream.chat.enqueue(answer(chunks));
    const second = say(conversationId);
    await ada.untilEvent(second, 'turn_queued');
    first.valve.open();
    await recordTurn('chat-turn-followed', first.turnId);
    await recordTurn('chat-turn-queued', second);
  });

  test('a turn that was withdrawn while it waited', async () => {
    const conversationId = newConversationId();
    const first = await sayAndHold(conversationId);
    const second = say(conversationId);
    await ada.untilEvent(second, 'turn_queued');
    ada.send({ type: 'withdraw', turnId: second });
    await recordTurn('chat-turn-withdrawn', second);
    first.valve.open();
    await ada.untilEnd(first.turnId);
  });

  test('a turn that another one interrupted', async () => {
    const conversationId = newConversationId();
    const first = await sayAndHold(conversationId);
    stack.upstream.chat.enqueue(answer(chunks));
    const second = say(conversationId, 'interrupt');
    await recordTurn('chat-turn-interrupted', first.turnId);
    await recordTurn('chat-turn-interrupting', second);
  });

  test('an audit that failed', async () => {
    stack.upstream.chat.enqueue(answer(chunks));
    // Audits of the turns before may still ask: from here on every auditor's call is refused.
    stack.upstream.audit.always(refuse(401));
    const turnId = say(newConversationId());
    await ada.untilEnd(turnId);
    const audit = stack.client.workflow.getHandle(auditWorkflowId(turnId));
    await expect(audit.result()).rejects.toThrow(WorkflowFailedError);
    await record('audit-failed', auditWorkflowId(turnId));
  });
});

describe('recording workers that are lost', () => {
  let rig: KillableWorkers;
  beforeAll(async () => {
    rig = await startKillableWorkers('record');
  });
  afterAll(() => rig.close());

  test.each([
    ['is noticed by its line', 'chat-turn-worker-lost', '127.0.0.1', false],
    ['is noticed by its heartbeats', 'chat-turn-worker-silent', 'off', false],
    ['held a call that was being stopped', 'chat-turn-stopped-worker-lost', 'off', true],
  ])('a worker whose death %s', async (_, name, line, isStopped) => {
    const { upstream, gateway, ada } = rig;
    const env = { CANDOR_WORKER_LINE_HOST: line };
    const worker = await rig.startWorker(env);
    upstream.chat.enqueue(answer(chunks, { valve: createValve() }), answer(chunks));
    const turnId = newTurnId();
    ada.message(turnId, newConversationId(), 'How do I restart a job in TWS?');
    await upstream.nextCall();
    while ((await lastBeat(gateway, turnId)) === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    const next = await rig.startWorker(env);
    worker.kill('SIGKILL');
    if (isStopped) ada.send({ type: 'cancel', turnId });
    await ada.untilEnd(turnId);
    await keep(name, gateway.client.workflow.getHandle(turnWorkflowId(turnId)));
    await next.close();
  });
});

/** The heartbeat of the call that runs; absent before the first one. */
async function lastBeat(stack: Stack, turnId: TurnId): Promise<unknown> {
  const open = await createOpenActivities(stack.client, stack.options.temporal.taskQueue).list();
  return open.find(({ workflowId, type }) => workflowId === turnWorkflowId(turnId) && type === 'stream')?.heartbeat;
}
