// The launcher that other tests stand on: a worker and a gateway of their own answer a turn, and end when told to.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { answerOf, terminalOf } from '../src/protocol/transcript.ts';
import { answer, createUpstream, type Upstream } from '../testing/upstream/upstream.ts';
import { launchGateway, launchWorker, type CandorProcess, type GatewayProcess } from './candor-process.ts';
import { createChatClient } from './chat-client.ts';
import { newConversationId, newTurnId } from './stack.ts';

let upstream: Upstream;
let worker: CandorProcess;
let gateway: GatewayProcess;
beforeAll(async () => {
  upstream = await createUpstream();
  const options = { taskQueue: `processes-${randomUUID()}`, upstreamUrl: upstream.url };
  worker = await launchWorker(options);
  gateway = await launchGateway(options);
  await Promise.all([worker.ready, gateway.ready]);
}, 60_000);
afterAll(async () => {
  await Promise.all([worker.close(), gateway.close()]);
  await upstream.close();
});

describe('a worker and a gateway in processes of their own', () => {
  test('answer a turn', async () => {
    upstream.chat.enqueue(answer(['A job is ', 'restarted.']));
    const ada = await createChatClient({ url: gateway.url, agentId: 'operator', token: await gateway.token() });
    const turnId = newTurnId();
    ada.message(turnId, newConversationId(), 'How do I restart a job?');
    const transcript = await ada.untilEnd(turnId);
    expect(terminalOf(transcript)?.type).toBe('turn_completed');
    expect(answerOf(transcript)).toBe('A job is restarted.');
    ada.close();
  });

  test('end in order when they are told to', async () => {
    worker.kill('SIGTERM');
    gateway.kill('SIGTERM');
    expect(await Promise.all([worker.exited, gateway.exited])).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
  });
});
