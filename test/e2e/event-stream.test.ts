// A turn as server-sent events: live or long finished, from any `Last-Event-ID`, to the terminal.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isTerminal, type TurnEvent } from '../../src/protocol/events.ts';
import type { TurnId } from '../../src/protocol/ids.ts';
import { answerOf, toTranscript } from '../../src/protocol/transcript.ts';
import { answer, resetAfter } from '../../testing/upstream/upstream.ts';
import { newConversationId, newTurnId, startStack, type Stack } from '../stack.ts';
import { createReplies, questionOf, type Replies } from './replies.ts';

let stack: Stack;
let replies: Replies;
beforeAll(async () => {
  stack = await startStack();
  replies = createReplies(stack.upstream);
});
afterAll(() => stack.close());

interface Sent {
  readonly id: string;
  readonly name: string;
  readonly event: TurnEvent;
}

/** Messages of the stream until its end, or until one fits; the connection is then left. */
async function read(
  turnId: TurnId,
  lastId?: string,
  until?: (sent: Sent) => boolean,
  query = '',
): Promise<readonly Sent[]> {
  const left = new AbortController();
  const response = await stack.fetch(`/api/turns/${turnId}/events${query}`, {
    signal: left.signal,
    ...(lastId === undefined ? {} : { headers: { 'last-event-id': lastId } }),
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const all: Sent[] = [];
  let rest = '';
  for await (const text of (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
    const blocks = `${rest}${text}`.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      if (block.startsWith(':')) continue;
      const field = (name: string): string =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2) ?? '';
      const sent = { id: field('id'), name: field('event'), event: JSON.parse(field('data')) as TurnEvent };
      all.push(sent);
      if (until?.(sent) !== true) continue;
      left.abort();
      return all;
    }
  }
  return all;
}

const chunks = ['0123456789', 'abc🙂def', ' and the end'];
const isDelta = ({ event }: Sent): boolean => event.type === 'delta';
const textOf = (all: readonly Sent[]): string =>
  all.map(({ event }) => (event.type === 'delta' ? event.text : '')).join('');

describe('the events of a turn over HTTP', () => {
  test('a live turn is followed, left in its middle, and followed on from the last id to its end', async () => {
    const turnId = newTurnId();
    const valve = replies.held(questionOf(turnId), chunks);
    valve.pass(1);
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    await ada.untilEvent(turnId, 'delta');
    const first = await read(turnId, undefined, isDelta);
    expect(textOf(first)).toBe(chunks[0]);
    valve.pass(1);
    await ada.until((frame) => frame.type === 'delta' && frame.text.includes('def'));
    const second = await read(turnId, first.at(-1)?.id, isDelta);
    expect(second.map(({ event }) => event)).toMatchObject([{ type: 'delta', offset: 10, text: chunks[1] }]);
    valve.open();
    const third = await read(turnId, second.at(-1)?.id);
    expect(isTerminal(third.at(-1)?.event as TurnEvent)).toBe(true);
    const all = [...first, ...second, ...third];
    expect(textOf(all)).toBe(chunks.join(''));
    expect(all.every(({ name, event }) => name === event.type)).toBe(true);
    const seqs = all.flatMap(({ event }) => ('seq' in event ? [event.seq] : []));
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(toTranscript(all.map(({ event }) => event)).log).toEqual((await ada.untilEnd(turnId)).log);
  });

  test('a finished turn is told whole, or from any id that it gave', async () => {
    const turnId = newTurnId();
    replies.held(questionOf(turnId), chunks).open();
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    const transcript = await ada.untilEnd(turnId);
    const whole = await read(turnId);
    const told = toTranscript(whole.map(({ event }) => event));
    expect(told.log).toEqual(transcript.log);
    expect(answerOf(told)).toBe(chunks.join(''));
    for (const [index, { id, event }] of whole.entries()) {
      if (isTerminal(event)) continue;
      const rest = await read(turnId, id);
      const until = rest.findIndex((sent) => isTerminal(sent.event));
      expect(rest.slice(0, until + 1)).toEqual(whole.slice(index + 1, index + 2 + until));
    }
  });

  test('after its last id a finished turn has nothing more, and the stream ends', async () => {
    const turnId = newTurnId();
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    await ada.untilEnd(turnId);
    const whole = await read(turnId);
    const terminal = whole.find(({ event }) => isTerminal(event));
    const rest = await read(turnId, terminal?.id);
    expect(rest.filter(({ name }) => !name.startsWith('audit_'))).toEqual([]);
  });

  test('an id that is none is a problem, not a stream', async () => {
    const turnId = newTurnId();
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    await ada.untilEnd(turnId);
    const headers = { 'last-event-id': 'not a cursor' };
    const response = await stack.fetch(`/api/turns/${turnId}/events`, { headers });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid_request' });
  });
});

describe('R63: the events of a turn with a failed attempt', () => {
  const playFailed = async (): Promise<TurnId> => {
    const turnId = newTurnId();
    replies.to(questionOf(turnId), resetAfter(['lost ', 'words ']), answer(chunks));
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    await ada.untilEnd(turnId);
    return turnId;
  };
  const status = async (turnId: TurnId, query: string, lastId?: string): Promise<number> => {
    const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
    const response = await stack.fetch(`/api/turns/${turnId}/events${query}`, { headers });
    await response.body?.cancel();
    return response.status;
  };
  const typesOf = (all: readonly Sent[]): readonly string[] =>
    all.map(({ name }) => name).filter((name) => !/^audit_(completed|failed)$/.test(name));

  test('are played back with it, or without it under the same numbers', async () => {
    const turnId = await playFailed();
    const whole = typesOf(await read(turnId));
    expect(whole).toContain('attempt_failed');
    expect(whole.filter((type) => type === 'agent_thinking')).toHaveLength(2);
    const kept = await read(turnId, undefined, undefined, '?attempts=kept');
    expect(typesOf(kept)).toEqual([
      ...['turn_accepted', 'agent_started', 'agent_thinking', 'delta', 'agent_completed'],
      ...['conversation_stored', 'audit_started', 'turn_completed'],
    ]);
    expect(textOf(kept)).toBe(chunks.join(''));
    const seqs = kept.flatMap(({ event }) => ('seq' in event ? [event.seq] : []));
    expect(seqs).toEqual([1, 2, 5, 6, 7, 8, 9]);
    const rest = await read(turnId, kept[2]?.id, undefined, '?attempts=kept');
    expect(rest.map(({ event }) => event)).toEqual(kept.slice(3).map(({ event }) => event));
  });

  test('one form’s ids are not the other’s', async () => {
    const turnId = await playFailed();
    const [whole] = await read(turnId);
    const [kept] = await read(turnId, undefined, undefined, '?attempts=kept');
    expect(await status(turnId, '', kept?.id)).toBe(400);
    expect(await status(turnId, '?attempts=kept', whole?.id)).toBe(400);
    expect(await status(turnId, '?attempts=none')).toBe(400);
  });

  test('cannot be left out before the end', async () => {
    const turnId = newTurnId();
    const valve = replies.held(questionOf(turnId), chunks);
    valve.pass(1);
    const ada = await stack.connect();
    ada.message(turnId, newConversationId(), questionOf(turnId));
    await ada.untilEvent(turnId, 'delta');
    expect(await status(turnId, '?attempts=kept')).toBe(400);
    valve.open();
    await ada.untilEnd(turnId);
    expect(await status(turnId, '?attempts=kept')).toBe(200);
  });
});
