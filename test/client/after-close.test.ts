// Every way a socket can end has one decision.

import { describe, expect, test } from '@jest/globals';
import { decideAfterClose, reconnectDelayMs, type AfterClose, type SocketEnd } from '../../src/client/after-close.ts';

const rows: readonly (readonly [string, SocketEnd, AfterClose])[] = [
  ['the token expired', { closeCode: 4401, greeted: true, lastError: null }, 'renew'],
  ['the token was refused after the upgrade', { closeCode: 1008, greeted: false, lastError: null }, 'renew'],
  ['the token was refused by name', { closeCode: 1008, greeted: false, lastError: 'unauthenticated' }, 'renew'],
  ['the agent does not exist', { closeCode: 1008, greeted: false, lastError: 'agent_not_found' }, 'refused'],
  ['an old error has nothing to do with it', { closeCode: 1008, greeted: true, lastError: 'turn_not_found' }, 'renew'],
  [
    'the upgrade failed, and the browser does not say why',
    { closeCode: 1006, greeted: false, lastError: null },
    'probe',
  ],
  ['the connection was lost', { closeCode: 1006, greeted: true, lastError: null }, 'retry'],
  ['the reader was too slow', { closeCode: 1013, greeted: true, lastError: 'slow_consumer' }, 'retry'],
  ['the gateway goes away', { closeCode: 1001, greeted: true, lastError: null }, 'retry'],
];

describe('after a socket has closed', () => {
  test.each(rows)('%s', (_, end, decision) => {
    expect(decideAfterClose(end)).toBe(decision);
  });
});

describe('the wait before the next connection', () => {
  test('doubles from half a second to fifteen seconds', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map((failures) => reconnectDelayMs(failures, 1))).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
    ]);
  });

  test('is spread down to its half, so that clients do not come back all at once', () => {
    expect(reconnectDelayMs(3, 0)).toBe(1_000);
    expect(reconnectDelayMs(3, 0.5)).toBe(1_500);
  });
});
