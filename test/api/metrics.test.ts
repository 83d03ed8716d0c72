// B19: delivery is measured, and the figures are those of what clients really received.

import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TurnEvent } from '../../src/protocol/events.ts';
import { cursorOf, terminalOf } from '../../src/protocol/transcript.ts';
import { answer, createValve } from '../../testing/upstream/upstream.ts';
import type { ChatClient } from '../chat-client.ts';
import { parseFigures, type Figures } from '../figures-of.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const figures = async (): Promise<Figures> => parseFigures(await (await fetch(`${stack.url}/metrics`)).text());

/** What was counted between two readings. */
const since =
  (before: Figures, after: Figures) =>
  (name: string, labels: Readonly<Record<string, string>> = {}): number =>
    after.value(name, labels) - before.value(name, labels);

const isEvent = (frame: object): frame is TurnEvent => 'turnId' in frame;
const countOf = (socket: ChatClient, type: string): number =>
  socket.frames.filter((frame) => isEvent(frame) && frame.type === type).length;

/** The verdict is the last thing that is said of a turn: nothing more is to come. */
async function converse(socket: ChatClient): Promise<void> {
  const turnId = newTurnId();
  const chunks = ['The job ', 'is restarted ', 'by hand.'];
  stack.upstream.chat.enqueue(answer(chunks));
  socket.message(turnId, newConversationId(), 'How do I restart a job?');
  await socket.untilEnd(turnId);
  await socket.until((frame) => isEvent(frame) && /^audit_(completed|failed)$/.test(frame.type));
}

describe('B19: GET /metrics', () => {
  test('counts every event that a socket received, by its type, with its lag', async () => {
    const before = await figures();
    const ada = await stack.connect();
    await converse(ada);
    const counted = since(before, await figures());
    const types = new Set(ada.frames.filter(isEvent).map(({ type }) => type));
    expect(types.size).toBeGreaterThan(7);
    for (const type of types) {
      expect([type, counted('candor_events_sent_total', { transport: 'socket', type })]).toEqual([
        type,
        countOf(ada, type),
      ]);
    }
    const all = ada.frames.filter(isEvent).length;
    expect(counted('candor_events_sent_total')).toBe(all);
    // Nothing was told again, so that each has a lag.
    expect(counted('candor_event_lag_seconds_count', { kind: 'event' })).toBe(all - countOf(ada, 'delta'));
    expect(counted('candor_event_lag_seconds_count', { kind: 'text' })).toBe(countOf(ada, 'delta'));
    expect(counted('candor_resumes_total')).toBe(0);
    expect(counted('candor_gaps_filled_total')).toBe(0);
    expect(counted('candor_sockets_opened_total')).toBe(1);
  });

  test('counts what the model was asked and what it said', async () => {
    const before = await figures();
    const ada = await stack.connect();
    await converse(ada);
    const counted = since(before, await figures());
    expect(counted('candor_attempts_total', { outcome: 'answered' })).toBe(1);
    expect(counted('candor_streamed_characters_total')).toBe('The job is restarted by hand.'.length);
    expect((await figures()).value('candor_turns_streaming')).toBe(0);
  });

  test('counts one resume for each reader that comes back, and no lag for what is told again', async () => {
    const turnId = newTurnId();
    const valve = createValve();
    stack.upstream.chat.enqueue(answer(['One ', 'two ', 'three.'], { valve }));
    const first = await stack.connect();
    first.message(turnId, newConversationId(), 'How do I restart a job?');
    valve.pass(1);
    await first.untilEvent(turnId, 'delta');
    const cursor = cursorOf(first.transcript(turnId));
    first.close();
    await first.closed;
    const before = await figures();
    const second = await stack.connect();
    second.send({ type: 'resume', turnId });
    await second.untilEvent(turnId, 'delta');
    const third = await stack.connect();
    third.send({ type: 'resume', turnId, cursor });
    // Frames are handled in the order of arrival: with its answer the resume before it is done.
    third.sendRaw('no frame');
    await third.untilError();
    let counted = since(before, await figures());
    expect(counted('candor_resumes_total', { transport: 'socket' })).toBe(2);
    expect(counted('candor_events_sent_total')).toBe(second.frames.filter(isEvent).length);
    expect(counted('candor_event_lag_seconds_count')).toBe(0);
    expect((await figures()).value('candor_turn_readers')).toBeGreaterThanOrEqual(2);
    valve.open();
    await Promise.all([second.untilEnd(turnId), third.untilEvent(turnId, 'turn_completed')]);
    const events = await stack.fetch(`/api/turns/${turnId}/events`, { headers: { 'last-event-id': '' } });
    const told = (await events.text()).match(/^event: /gm)?.length ?? 0;
    counted = since(before, await figures());
    expect(counted('candor_events_sent_total', { transport: 'sse' })).toBe(told);
    expect(counted('candor_event_lag_seconds_count', { transport: 'sse' })).toBe(0);
    expect(counted('candor_resumes_total', { transport: 'sse' })).toBe(0);
    expect(terminalOf(second.transcript(turnId))?.type).toBe('turn_completed');
  });

  test('knows the sockets that are open, and why others closed', async () => {
    const before = await figures();
    const sockets = await Promise.all([stack.connect(), stack.connect()]);
    const open = (await figures()).value('candor_sockets');
    const [left, broken] = sockets;
    left?.leave();
    broken?.close();
    await Promise.all(sockets.map(({ closed }) => closed));
    let after = await figures();
    while (after.value('candor_sockets') > open - 2) after = await figures();
    const counted = since(before, after);
    expect(counted('candor_sockets_closed_total', { code: '1005' })).toBe(1);
    expect(counted('candor_sockets_closed_total', { code: '1006' })).toBe(1);
    expect(counted('candor_sockets_closed_total')).toBe(2);
  });

  test('says nothing of anybody: labels hold words of closed lists only', async () => {
    const ada = await stack.connect();
    ada.send({ type: 'resume', turnId: newTurnId() });
    await ada.untilError();
    const text = await (await fetch(`${stack.url}/metrics`)).text();
    const labels = [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]);
    expect(new Set(labels.map(([name]) => name))).toEqual(
      new Set(['transport', 'type', 'kind', 'le', 'code', 'outcome']),
    );
    expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
    expect(text).not.toContain('ada');
  });

  test('is for this machine; a request by another name needs a token', async () => {
    const asked = await fetch(`${stack.url}/metrics`);
    expect(asked.headers.get('content-type')).toContain('text/plain');
    const port = new URL(stack.url).port;
    const byName = (token?: string) => statusOf(port, { host: 'candor.example', ...bearer(token) });
    expect(await byName()).toBe(401);
    expect(await byName(await stack.token())).toBe(200);
  });
});

const bearer = (token: string | undefined) => (token === undefined ? {} : { authorization: `Bearer ${token}` });

/** `fetch` sets `Host` by itself. */
const statusOf = (port: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/metrics', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end();
  });
