// R43: a reader that does not read holds one slice of this process's memory, whatever it lacks, and costs the others
// nothing; it comes back with its cursor and has every character once. Real sockets on a real server.

import { once } from 'node:events';
import { setImmediate as tick } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { WebSocket } from 'ws';
import { sliceChars } from '../../src/api/event-slice.ts';
import type { TurnEvent } from '../../src/protocol/events.ts';
import type { ServerFrame } from '../../src/protocol/frames.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import {
  applyEvent,
  answerOf,
  cursorOf,
  emptyTranscript,
  terminalOf,
  type Transcript,
} from '../../src/protocol/transcript.ts';
import type { SocketLimits } from '../../src/api/sockets.ts';
import { startSocketRig, type RigTurn, type SocketRig } from '../socket-rig.ts';

let rig: SocketRig;
const start = async (limits?: Partial<SocketLimits>): Promise<void> => {
  rig = await startSocketRig(limits);
};
afterEach(() => rig.close());

/** Turns that are more than the system keeps on the way to a reader that does not read. */
function beginMany(): readonly RigTurn[] {
  const piece = 'The job is restarted. '.repeat(12_000);
  return Array.from({ length: 40 }, () => {
    const turn = rig.begin();
    turn.say(piece);
    return turn;
  });
}

/** What a reader has over all its connections. Text that comes twice on the wire is an error here. */
function createReader() {
  const transcripts = new Map<TurnId, Transcript>();
  const errors: string[] = [];
  const of = (turnId: TurnId): Transcript => transcripts.get(turnId) ?? emptyTranscript;
  const take = (event: TurnEvent): void => {
    if (event.type === 'delta') expect(event.offset).toBe(answerOf(of(event.turnId)).length);
    transcripts.set(event.turnId, applyEvent(of(event.turnId), event));
  };
  return {
    of,
    errors,
    follow(socket: WebSocket, turns: readonly RigTurn[]) {
      socket.on('message', (data: Buffer) => {
        const frame = JSON.parse(data.toString('utf8')) as ServerFrame;
        if (frame.type === 'error') errors.push(frame.error.code);
        if ('turnId' in frame) take(frame);
      });
      socket.resume();
      for (const { turnId } of turns) {
        const cursor = cursorOf(of(turnId));
        socket.send(JSON.stringify({ type: 'resume', turnId, cursor: { ...cursor } }));
      }
    },
    /** Resolves when it has the whole text of all of them. */
    async has(turns: readonly RigTurn[]): Promise<void> {
      while (!turns.every(({ turnId, text }) => answerOf(of(turnId)).length === text.length)) await tick();
      for (const { turnId, text } of turns) expect(answerOf(of(turnId))).toBe(text);
    },
    async hasEnds(turns: readonly RigTurn[]): Promise<void> {
      while (!turns.every(({ turnId }) => terminalOf(of(turnId)) !== null)) await tick();
      for (const { turnId, text } of turns) expect(answerOf(of(turnId))).toBe(text);
    },
  };
}

const until = async (fits: () => boolean): Promise<void> => {
  while (!fits()) await tick();
};
const theSocket = (): WebSocket => [...rig.sockets][0] as WebSocket;

/** One slice, and the frame at its end that could not be cut. */
const mostHeld = 2 * sliceChars;

describe('R43: a reader that does not read', () => {
  test('holds one slice, and others have everything meanwhile; reading on, it has every character once', async () => {
    await start();
    const turns = beginMany();
    const slow = createReader();
    const stuck = await rig.connect();
    const held = theSocket();
    slow.follow(stuck, turns);
    stuck.pause();
    await until(() => held.bufferedAmount > 0);
    const reader = createReader();
    reader.follow(await rig.connect(), turns);
    await reader.has(turns);
    for (let n = 0; n < 40; n++) {
      for (const turn of turns) turn.say(`More ${n}. `);
      await tick();
      expect(held.bufferedAmount).toBeLessThan(mostHeld);
    }
    await reader.has(turns);
    expect(held.bufferedAmount).toBeGreaterThan(0);
    stuck.resume();
    await slow.has(turns);
    for (const turn of turns) turn.end();
    await Promise.all([slow.hasEnds(turns), reader.hasEnds(turns)]);
    expect((await rig.figures()).value('candor_slow_closes_total')).toBe(0);
  });

  test('is closed with 1013 and forgotten, and comes back with its cursor', async () => {
    await start({ stuckMs: 100 });
    const turns = beginMany();
    const reader = createReader();
    const stuck = await rig.connect();
    reader.follow(stuck, turns);
    stuck.pause();
    await until(() => theSocket()?.bufferedAmount > 0);
    await until(() => rig.sockets.size === 0);
    const figures = await rig.figures();
    expect(figures.value('candor_slow_closes_total')).toBe(1);
    expect(figures.value('candor_sockets_closed_total', { code: '1013' })).toBe(1);
    expect(rig.feeds.readers).toBe(0);
    const gone = once(stuck, 'close');
    stuck.resume();
    await gone;
    for (const turn of turns) turn.say('More. ');
    // What it has of each text, it is not sent again.
    reader.follow(await rig.connect(), turns);
    for (const turn of turns) turn.end();
    await reader.hasEnds(turns);
    expect(reader.errors).toEqual([]);
  });

  test('and sends without end is not read meanwhile; its answers come when it reads', async () => {
    await start();
    const turns = beginMany();
    const reader = createReader();
    const socket = await rig.connect();
    const held = theSocket();
    reader.follow(socket, turns);
    socket.pause();
    await until(() => held.bufferedAmount > 0);
    const frames = 3_000;
    for (let n = 0; n < frames; n++) socket.send('no frame');
    await until(() => held.isPaused);
    for (let n = 0; n < 50; n++) {
      await tick();
      expect(held.bufferedAmount).toBeLessThan(mostHeld);
    }
    socket.resume();
    await until(() => reader.errors.length === frames);
    expect(new Set(reader.errors)).toEqual(new Set(['invalid_request']));
    await reader.has(turns);
  });

  test('nor answers a ping is closed and forgotten', async () => {
    await start({ pingEveryMs: 40 });
    const turn = rig.begin();
    const socket = await rig.connect();
    createReader().follow(socket, [turn]);
    await until(() => rig.feeds.readers === 1);
    socket.pause();
    await until(() => rig.sockets.size === 0);
    expect(rig.feeds.readers).toBe(0);
    expect((await rig.figures()).value('candor_sockets_closed_total', { code: '1013' })).toBe(1);
  });
});

describe('bounds of sockets', () => {
  test('one that asks, follows and watches nothing is closed with 4408; one that follows stays', async () => {
    await start({ pingEveryMs: 20, idleMs: 60 });
    const turn = rig.begin();
    const follower = await rig.connect();
    const reader = createReader();
    reader.follow(follower, [turn]);
    const watcher = await rig.connect();
    watcher.send(JSON.stringify({ type: 'watch', conversationId: turn.turnId }));
    watcher.resume();
    const idle = await rig.connect();
    idle.resume();
    expect(await once(idle, 'close')).toEqual([4408, Buffer.from('idle')]);
    turn.say('Still here.');
    await reader.has([turn]);
    expect(rig.sockets.size).toBe(2);
    turn.end();
    expect(await once(follower, 'close')).toEqual([4408, Buffer.from('idle')]);
  });

  test('one user has so many sockets and no more; others are not touched by it', async () => {
    await start({ maxPerUser: 2 });
    const [first] = [await rig.connect('ada'), await rig.connect('ada')];
    const third = await rig.connect('ada');
    third.resume();
    const [data] = (await once(third, 'message')) as [Buffer];
    expect(JSON.parse(data.toString('utf8'))).toMatchObject({ type: 'error', error: { code: 'rate_limited' } });
    expect(await once(third, 'close')).toEqual([1013, Buffer.from('rate_limited')]);
    const eve = await rig.connect('eve');
    expect(eve.readyState).toBe(eve.OPEN);
    first.resume();
    first.close();
    await once(first, 'close');
    await until(() => rig.sockets.size === 2);
    const next = await rig.connect('ada');
    next.resume();
    const [greeting] = (await once(next, 'message')) as [Buffer];
    expect(JSON.parse(greeting.toString('utf8'))).toMatchObject({ type: 'hello' });
  });

  test('A12: what has closed is forgotten, however it closed', async () => {
    await start();
    const turn = rig.begin();
    const follow = async (n: number): Promise<void> => {
      const socket = await rig.connect(`user-${n % 7}`);
      socket.send(JSON.stringify({ type: 'watch', conversationId: turn.turnId }));
      const greeted = once(socket, 'message');
      if (n % 7 === 0) createReader().follow(socket, [turn]);
      socket.resume();
      await greeted;
      if (n % 2 === 0) socket.terminate();
      else socket.close();
      await once(socket, 'close');
    };
    for (let n = 0; n < 30; n++) await Promise.all(Array.from({ length: 10 }, (_, m) => follow(n * 10 + m)));
    await until(() => rig.sockets.size === 0);
    expect(rig.feeds.readers).toBe(0);
    const figures = await rig.figures();
    expect(figures.value('candor_sockets')).toBe(0);
    expect(figures.value('candor_sockets_opened_total')).toBe(300);
    expect(figures.value('candor_sockets_closed_total')).toBe(300);
  });
});
