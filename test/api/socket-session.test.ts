// A9: what a client sent before it left is done. The session's peers and ports are stand-ins, so that a socket closes
// exactly between the arrival of a message and its handling.

import { expect, test } from '@jest/globals';
import { createSocketSession, type SocketSessionDependencies } from '../../src/api/socket-session.ts';
import type { AgentId, UserId } from '../../src/protocol/ids.ts';
import { newConversationId, newTurnId } from '../stack.ts';

test('a message whose socket closes before it is handled is accepted all the same, and nobody is followed for (A9)', async () => {
  const turnId = newTurnId();
  let accept: (sent: string) => void = () => undefined;
  const accepted = new Promise<string>((resolve) => (accept = resolve));
  let readers = 0;
  const feed = { turnId, read: () => (readers += 1) };
  const turns = {
    send: async (...[, , , message]: readonly { turnId: string }[]) => {
      accept(message?.turnId ?? '');
      return feed;
    },
  };
  const session = createSocketSession(
    { send: (_frames, sent) => sent(), close: () => undefined, pause: () => undefined, resume: () => undefined },
    'operator' as AgentId,
    { userId: 'ada' as UserId, roles: [], tier: 'free', expiresAt: new Date(Date.now() + 60_000) },
    { turns } as unknown as SocketSessionDependencies,
  );
  session.receive(JSON.stringify({ type: 'message', turnId, conversationId: newConversationId(), text: 'Why?' }));
  session.closed();
  expect(await accepted).toBe(turnId);
  await new Promise(setImmediate);
  expect(readers).toBe(0);
});
