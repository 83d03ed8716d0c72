// The question of the first screen, asked of the real local model through everything that `npm start` starts: its own
// Temporal, Neo4j, model server, worker and gateway, in a process of its own. What a small model says is not judged; that
// it is what was shown, stored and audited is.

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { auditWorkflowId } from '../../src/protocol/ids.ts';
import { answerOf } from '../../src/protocol/transcript.ts';
import type { RunningFile } from '../../src/run/data-folder.ts';
import { createChatClient } from '../chat-client.ts';
import { newConversationId, newTurnId } from '../stack.ts';
import { createHome, launch, untilFile, type Home, type Launched } from '../run/launch.ts';

const isWanted = process.env['CANDOR_TEST_MODEL'] === '1';
const title = isWanted
  ? 'the real local model'
  : 'the real local model (skipped: CANDOR_TEST_MODEL=1 fetches and runs it)';
const suite = isWanted ? describe : describe.skip;

jest.setTimeout(300_000);

suite(title, () => {
  let home: Home;
  let candor: Launched;
  beforeAll(async () => {
    home = await createHome();
    const { MODEL_FILE: file = '', CANDOR_LLAMA_DIR: llama = '' } = process.env;
    candor = launch(home, ['start'], { MODEL_FILE: file, CANDOR_LLAMA_DIR: llama });
  });
  afterAll(async () => {
    candor.kill('SIGTERM');
    await candor.exited;
    await home.remove();
  });

  test('a question that comes before the model is answered from the runbook, stored and audited (J2)', async () => {
    const [, url = '', code = ''] = await candor.until(/Candor +(http:\/\/127\.0\.0\.1:\d+)\/#code=([\w-]+)/);
    const session = await fetch(`${url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    });
    const { token } = (await session.json()) as { token: string };
    const socket = await createChatClient({ url, agentId: 'operator', token });
    const conversationId = newConversationId();
    const turnId = newTurnId();
    socket.send({ type: 'watch', conversationId });
    socket.message(turnId, conversationId, 'How do I restart a job in TWS?');

    const started = await socket.untilEvent(turnId, 'agent_started');
    expect(started.context.map((piece) => piece.source)).toContain('runbook RB-001');
    const completed = await socket.untilEvent(turnId, 'turn_completed');
    const transcript = socket.transcript(turnId);
    const shown = answerOf(transcript);
    expect(shown.trim()).not.toBe('');
    const deltas = socket
      .events(turnId)
      .flatMap((event) => (event.type === 'delta' && event.channel === 'answer' ? [event.text] : []));
    expect(deltas.join('')).toBe(shown);

    const running = JSON.parse(await readFile(await untilFile(home, 'running.json'), 'utf8')) as RunningFile;
    expect(running.model).toMatchObject({ state: 'ready', baseUrl: `http://127.0.0.1:${home.env['MODEL_PORT']}/v1` });
    const { model, attempts, outcome } = completed.receipt;
    expect({ model, outcome, tries: attempts.length }).toEqual({
      model: running.model.model,
      outcome: 'completed',
      tries: 1,
    });
    expect(attempts[0]?.usage.completionTokens).toBeGreaterThan(0);

    const audit = await socket.until(
      (frame) => (frame.type === 'audit_completed' || frame.type === 'audit_failed') && frame.turnId === turnId,
    );
    expect(audit).toMatchObject({ auditId: auditWorkflowId(turnId) });
    const headers = { authorization: `Bearer ${token}` };
    const view = (await (await fetch(`${url}/api/turns/${turnId}`, { headers })).json()) as {
      state: string;
      answer: string;
      audit: { verdict: string };
    };
    expect(view).toMatchObject({ state: 'completed', answer: shown });
    expect(['accepted', 'flagged', 'rejected', 'failed']).toContain(view.audit.verdict);
    socket.close();
  });
});
