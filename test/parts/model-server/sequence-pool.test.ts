import { describe, expect, test } from '@jest/globals';
import { createSequencePool } from '../../../src/parts/model-server/sequence-pool.ts';

const never = new AbortController().signal;
const indifferent = (): number => 0;
const createPool = (slots: string[], queueLimit = 2) => createSequencePool({ slots, queueLimit, nowMs: () => 0 });

describe('the pool of sequences', () => {
  test('lends the slot that remembers most, and else the one unused for longest', async () => {
    const pool = createPool(['a', 'b', 'c']);
    const first = await pool.acquire((slot) => (slot === 'b' ? 5 : 0), never);
    expect(first.slot).toBe('b');
    first.release();
    const order = [];
    for (let turn = 0; turn < 3; turn += 1) order.push((await pool.acquire(indifferent, never)).slot);
    expect(order).toEqual(['a', 'c', 'b']);
  });

  test('serves waiters in their order and shows how many there are', async () => {
    const pool = createPool(['a']);
    const holder = await pool.acquire(indifferent, never);
    const served: string[] = [];
    const one = pool.acquire(indifferent, never).then((lease) => (served.push('one'), lease));
    const two = pool.acquire(indifferent, never).then((lease) => (served.push('two'), lease));
    expect([pool.active(), pool.queued()]).toEqual([1, 2]);
    holder.release();
    (await one).release();
    (await two).release();
    expect(served).toEqual(['one', 'two']);
    expect([pool.active(), pool.queued()]).toEqual([0, 0]);
  });

  test('refuses with 429 and a time to come back when the queue is full', async () => {
    const pool = createPool(['a'], 0);
    await pool.acquire(indifferent, never);
    await expect(pool.acquire(indifferent, never)).rejects.toMatchObject({ status: 429, retryAfterSeconds: 5 });
  });

  test('forgets a waiter who gave up', async () => {
    const pool = createPool(['a']);
    const holder = await pool.acquire(indifferent, never);
    const controller = new AbortController();
    const waiting = pool.acquire(indifferent, controller.signal);
    controller.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    expect(pool.queued()).toBe(0);
    holder.release();
    holder.release();
    expect(pool.active()).toBe(0);
  });
});
