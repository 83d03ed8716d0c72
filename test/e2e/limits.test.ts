// A11: a stream that never ends and never falls silent ends with its turn, as an explicit error.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { terminalOf } from '../../src/protocol/transcript.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { answer } from '../../testing/upstream/upstream.ts';

let agentsDir: string;
let stack: Stack;
beforeAll(async () => {
  agentsDir = await mkdtemp(join(tmpdir(), 'candor-agents-'));
  await writeFile(
    join(agentsDir, 'hurried.md'),
    '---\nid: hurried\nname: Hurried\ndescription: Has two seconds.\ntimeouts:\n  turnSeconds: 2\n---\n\nAnswer.\n',
  );
  stack = await startStack({ agentsDir });
});
afterAll(async () => {
  await stack.close();
  await rm(agentsDir, { recursive: true, force: true });
});

test('a stream that goes on and on is closed at the turn’s deadline and its text is withdrawn (A11)', async () => {
  const turnId = newTurnId();
  const endless = Array.from({ length: 5_000 }, (_, index) => `word ${index} `);
  stack.upstream.chat.enqueue(answer(endless, { paceMs: 20 }));
  const ada = await stack.connect({ agentId: 'hurried' });
  ada.message(turnId, newConversationId(), 'Talk for ever');
  const transcript = await ada.untilEnd(turnId);
  expect(terminalOf(transcript)).toMatchObject({
    type: 'turn_failed',
    error: { code: 'llm_timeout', message: expect.stringContaining('no end of its answer within 2 s') },
  });
  const failed = transcript.log.find((event) => event.type === 'agent_failed');
  expect(failed?.type === 'agent_failed' ? failed.discardedChars : 0).toBeGreaterThan(0);
  await stack.upstream.call(1).closed;
  expect(stack.upstream.calls).toHaveLength(1);
});
