// How a socket is opened on each platform.

import { afterEach, describe, expect, test } from '@jest/globals';
import { findOwnSocket, toSocketRequest } from '../../src/client/socket-opener.ts';

const globals = globalThis as { WebSocket?: unknown; document?: unknown };
const own = { WebSocket: globals.WebSocket, document: globals.document };
afterEach(() => {
  for (const name of ['WebSocket', 'document'] as const) {
    if (own[name] === undefined) delete globals[name];
    else globals[name] = own[name];
  }
});

const request = toSocketRequest('http://127.0.0.1:3000', 'operator', 'ab?>');

/** What the platform's own WebSocket was made with. */
function opened(): readonly unknown[] {
  const made: unknown[][] = [];
  globals.WebSocket = class {
    constructor(...given: unknown[]) {
      made.push(given);
    }
  };
  findOwnSocket()(request);
  return made[0] ?? [];
}

describe('a socket', () => {
  test.each([
    ['http://127.0.0.1:3000', 'ws://127.0.0.1:3000/ws/operator'],
    ['https://chat.example', 'wss://chat.example/ws/operator'],
    ['https://example/candor/', 'wss://example/candor/ws/operator'],
    ['https://example/candor', 'wss://example/candor/ws/operator'],
  ])('of %s is opened at %s', (base, url) => {
    expect(toSocketRequest(base, 'operator', 'a.b.c').url).toBe(url);
  });

  test('of a browser has its token as base64url without padding behind the protocol', () => {
    globals.document = {};
    const token = `jwt.${Buffer.from('ab?>').toString('base64url')}`;
    expect(opened()).toEqual(['ws://127.0.0.1:3000/ws/operator', ['candor.v1', token]]);
  });

  test('of a program has it in a header', () => {
    const options = { protocols: ['candor.v1'], headers: { authorization: 'Bearer ab?>' } };
    expect(opened()).toEqual(['ws://127.0.0.1:3000/ws/operator', options]);
  });

  test('of a platform without any says what to do', () => {
    delete globals.WebSocket;
    expect(findOwnSocket).toThrow(/pass openSocket, for Node 20 with the package ws/);
  });
});
