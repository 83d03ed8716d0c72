// Asks the gateway as a stranger would: requests and upgrades with whatever token, and the proof that nothing began.

import { WorkflowNotFoundError } from '@temporalio/client';
import { SignJWT } from 'jose';
import { WebSocket } from 'ws';
import type { TurnId } from '../../src/protocol/ids.ts';
import { turnWorkflowId } from '../../src/protocol/ids.ts';
import type { Stack } from '../stack.ts';

/** As the gateway's own tokens name it. */
const devIssuer = 'candor-dev';

/** A token of user `ada` with these claims in place of good ones, signed by the gateway's own key. */
export function signToken(key: Uint8Array, claims: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const seconds = Math.floor(Date.now() / 1_000);
  return new SignJWT({ sub: 'ada', iss: devIssuer, aud: 'candor', exp: seconds + 600, tier: 'enterprise', ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(key);
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');

/** Good claims under `alg: none`, without a signature. */
export function forgeUnsigned(): string {
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const claims = { sub: 'ada', iss: devIssuer, aud: 'candor', exp, tier: 'enterprise' };
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`;
}

export interface Upgrade {
  /** Absent: `candor.v1` alone. */
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** HTTP status of an upgrade; 101 when it was accepted, and then what the server selected. */
export function upgrade(
  url: string,
  path: string,
  { protocols = ['candor.v1'], headers = {} }: Upgrade,
): Promise<{ readonly status: number; readonly protocol: string; readonly text: string }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, [...protocols], { headers });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (data: Buffer) => (text += data.toString('utf8')));
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, protocol: '', text });
        socket.removeAllListeners('error').on('error', () => undefined);
        socket.terminate();
      });
    });
    socket.once('upgrade', (response) => {
      const text = JSON.stringify(response.headers);
      socket.once('open', () => {
        resolve({ status: 101, protocol: socket.protocol, text });
        socket.terminate();
      });
    });
  });
}

/** False: Temporal has never heard of the turn. */
export async function wasStarted({ client }: Stack, turnId: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(turnWorkflowId(turnId as TurnId)).describe();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** Calls for answers; audits of earlier turns come when they come. */
export const countCalls = ({ upstream }: Stack): number => upstream.calls.filter((call) => !call.isJson).length;
