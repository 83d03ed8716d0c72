// A12: whoever follows a turn costs the turn nothing. However many sockets do, the gateway subscribes to the lane once and
// asks the engine no more often, and the workflow's history is that of a turn that one person reads.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import type { TurnId } from '../../src/protocol/ids.ts';
import type { ServerFrame } from '../../src/protocol/frames.ts';
import { answerOf, applyEvent, emptyTranscript, terminalOf } from '../../src/protocol/transcript.ts';
import { answer, createValve } from '../../testing/upstream/upstream.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { createReplies, questionOf, type Replies } from './replies.ts';

const many = 300;
const chunks = Array.from({ length: 60 }, (_, n) => `word ${n} `);
const subscribed: TurnId[] = [];
const asked: TurnId[] = [];
let stack: Stack;
let replies: Replies;
beforeAll(async () => {
  stack = await startStack({
    decorate: {
      lane: (lane) => ({
        ...lane,
        subscribe(turnId, listener) {
          subscribed.push(turnId);
          return lane.subscribe(turnId, listener);
        },
      }),
      engine: (engine) => ({
        ...engine,
        waitForEnd(turnId, signal) {
          asked.push(turnId);
          return engine.waitForEnd(turnId, signal);
        },
      }),
    },
  });
  replies = createReplies(stack.upstream);
});
afterAll(() => stack.close());

const countOf = (all: readonly TurnId[], turnId: TurnId): number => all.filter((each) => each === turnId).length;

/** Follows from the beginning. Resolves when it has text; its answer is there behind the turn's end. */
function follow(turnId: TurnId, token: string): Promise<{ readonly answer: Promise<string> }> {
  const socket = new WebSocket(`${stack.url.replace('http', 'ws')}/ws/operator`, ['candor.v1'], {
    headers: { authorization: `Bearer ${token}` },
  });
  return new Promise((begun, failed) => {
    const whole = new Promise<string>((ended) => {
      let transcript = emptyTranscript;
      socket.on('message', (data: Buffer) => {
        const frame = JSON.parse(data.toString('utf8')) as ServerFrame;
        if (!('turnId' in frame)) return;
        transcript = applyEvent(transcript, frame);
        if (frame.type === 'delta') begun({ answer: whole });
        if (terminalOf(transcript) === null) return;
        ended(answerOf(transcript));
        socket.close();
      });
    });
    socket.on('open', () => socket.send(JSON.stringify({ type: 'resume', turnId })));
    socket.on('error', failed);
  });
}

async function play(readers: number): Promise<{ readonly turnId: TurnId; readonly answers: readonly string[] }> {
  const turnId = newTurnId();
  const valve = createValve();
  replies.to(questionOf(turnId), answer(chunks, { valve, usage: null }));
  valve.pass(5);
  const asking = await stack.connect();
  asking.message(turnId, newConversationId(), questionOf(turnId));
  await asking.untilEvent(turnId, 'delta');
  const token = await stack.token();
  const others: { readonly answer: Promise<string> }[] = [];
  while (others.length < readers - 1) others.push(await follow(turnId, token));
  valve.open();
  const answers = await Promise.all(others.map((other) => other.answer));
  await asking.untilEnd(turnId);
  return { turnId, answers };
}

test(`${many} readers of one turn are one subscription and leave nothing in its history`, async () => {
  const one = await play(1);
  const all = await play(many);
  expect(all.answers).toEqual(Array.from({ length: many - 1 }, () => chunks.join('')));
  expect([countOf(subscribed, all.turnId), countOf(asked, all.turnId)]).toEqual([1, 1]);
  expect((await stack.history(all.turnId)).events).toBe((await stack.history(one.turnId)).events);
}, 120_000);
