// A backend that cannot be reached, by whole turns: it refuses, its name is unknown, its TLS is not to be trusted, its
// connection is not made in time. Each needs an address of its own, so each is a Candor of its own.

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '../../src/protocol/errors.ts';
import { answer, createUpstream } from '../../testing/upstream/upstream.ts';
import { newConversationId } from '../stack.ts';
import type { Evidence } from './evidence.ts';
import { expectHonesty, expectNoAnswer, expectTries, startFailureRig } from './failure-rig.ts';

interface Case {
  readonly code: ErrorCode;
  readonly says: string;
  readonly backendUrl: () => Promise<string>;
  readonly agent: 'patient' | 'unconnected';
}

const sockets: Socket[] = [];
let silent: Server;

const cases: Readonly<Record<string, Case>> = {
  'refuses the connection': {
    code: 'llm_unavailable',
    says: 'connection refused',
    agent: 'patient',
    // Nothing listens there, and no test is ever given a port so low.
    backendUrl: async () => 'http://127.0.0.1:2/v1',
  },
  'has a name that nobody knows': {
    code: 'llm_unavailable',
    says: 'its name could not be resolved',
    agent: 'patient',
    backendUrl: async () => 'http://no-such-host.invalid/v1',
  },
  'speaks no TLS': {
    code: 'llm_unavailable',
    says: 'no trusted TLS connection',
    agent: 'patient',
    backendUrl: async () => (await upstream()).url.replace('http:', 'https:'),
  },
  'does not finish connecting in time': {
    code: 'llm_timeout',
    says: 'no connection within 1 s',
    agent: 'unconnected',
    // A TLS handshake that nobody answers belongs to connecting.
    backendUrl: async () => `https://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`,
  },
};
const names = Object.keys(cases);

let plain: Awaited<ReturnType<typeof createUpstream>> | null = null;
const upstream = async () => (plain ??= await createUpstream());

const turns = new Map<string, Evidence>();
beforeAll(async () => {
  silent = createServer((socket) => void sockets.push(socket.on('error', () => socket.destroy())));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  await Promise.all(
    Object.entries(cases).map(async ([name, { agent, backendUrl }]) => {
      const rig = await startFailureRig({ backendUrl: await backendUrl() });
      try {
        turns.set(name, await rig.send(agent));
      } finally {
        await rig.close();
      }
    }),
  );
}, 180_000);
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  silent.close();
  await plain?.close();
});

describe('a backend that', () => {
  test.each(names)('%s: its turn is tried four times and says why', (name) => {
    const turn = turns.get(name);
    const { code, says } = cases[name] ?? {};
    if (turn === undefined || code === undefined) throw new Error(`no turn was run for ${name}`);
    expectTries(turn, [code, code, code, code], { counted: 0 });
    expectNoAnswer(turn, code);
    expectHonesty(turn);
    for (const event of turn.log) {
      if (event.type !== 'attempt_failed' && event.type !== 'agent_failed') continue;
      expect(event.error.message).toContain(says ?? '');
      expect(event.discardedChars).toBe(0);
    }
  });

  test('was away answers the next message of the conversation when it is back (A18)', async () => {
    // Below the ports that the machine gives to others meanwhile.
    const port = 20_000 + randomInt(9_000);
    const rig = await startFailureRig({ backendUrl: `http://127.0.0.1:${port}/v1` });
    const conversationId = newConversationId();
    const away = await rig.send('patient', [], { conversationId });
    const back = await createUpstream({ port });
    try {
      expectNoAnswer(away, 'llm_unavailable');
      back.chat.always(answer('back again'));
      const { view } = await rig.send('patient', [], { conversationId });
      expect(view).toMatchObject({ state: 'completed', answer: 'back again' });
      expect(back.calls.filter(({ isJson }) => !isJson)).toHaveLength(1);
    } finally {
      await rig.close();
      await back.close();
    }
  });
});
