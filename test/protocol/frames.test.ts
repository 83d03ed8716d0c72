/** Bad input: every row is refused with a typed error that names the problem, and the reply names what it answers. */
import { describe, expect, test } from '@jest/globals';
import { toCursor } from '../../src/protocol/cursor.ts';
import { CandorError } from '../../src/protocol/errors.ts';
import { parseClientFrame, parseCursor, parseMessageBody, replyAddress } from '../../src/protocol/schema.ts';

const turnId = '6f1f9df0-5e0b-4c0c-9d5f-0a4f6d0b1a01';
const conversationId = 'b3f0c0de-0000-4000-8000-000000000001';
const message = { type: 'message', turnId, conversationId, text: 'hello' };
const resume = { type: 'resume', turnId };
const stream = { step: 1, attempt: 1, channel: 'answer', offset: 0 };

function refusalOf(attempt: () => unknown): { code: string; message: string } {
  try {
    attempt();
  } catch (error) {
    if (error instanceof CandorError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('unable to see a refusal; the input was accepted');
}
const without = (name: string): object => Object.fromEntries(Object.entries(message).filter(([key]) => key !== name));
const parseFrame = (frame: unknown) => parseClientFrame(JSON.stringify(frame));

describe('a frame is refused as invalid_request', () => {
  test.each(['', 'hello', '{', '{"type":"message"', 'NaN', '\u0000', '[1,]'])('when it is not JSON: %j', (raw) => {
    expect(refusalOf(() => parseClientFrame(raw))).toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('not JSON'),
    });
  });

  test.each([
    ['it is null', null, 'the frame'],
    ['it is a list', [message], 'the frame'],
    ['it is text', 'message', 'the frame'],
    ['it has no type', without('type'), 'type'],
    ['its type is unknown', { ...message, type: 'shout' }, 'type'],
    ['its type is not text', { ...message, type: 1 }, 'type'],
    ['it is a server’s', { type: 'hello', turnId }, 'type'],
    ['turnId is missing', without('turnId'), 'turnId'],
    ['conversationId is missing', without('conversationId'), 'conversationId'],
    ['text is missing', without('text'), 'text'],
    ['text is not text', { ...message, text: 5 }, 'text'],
    ['text is empty', { ...message, text: '' }, 'text is empty'],
    ['text is white space', { ...message, text: ' \t\r\n\u00a0\u3000' }, 'text is empty'],
    ['turnId is no UUID', { ...message, turnId: 'turn-1' }, 'turnId is not a lower-case UUID'],
    ['turnId is in upper case', { ...message, turnId: turnId.toUpperCase() }, 'turnId is not a lower-case UUID'],
    ['turnId is in braces', { ...message, turnId: `{${turnId}}` }, 'turnId'],
    ['turnId ends with a line break', { ...message, turnId: `${turnId}\n` }, 'turnId'],
    ['turnId is the nil UUID', { ...message, turnId: '00000000-0000-0000-0000-000000000000' }, 'turnId'],
    ['conversationId is no UUID', { ...message, conversationId: '../x' }, 'conversationId'],
    ['parentTurnId is no UUID', { ...message, parentTurnId: 'x' }, 'parentTurnId'],
    ['regenerateOf is no UUID', { ...message, regenerateOf: '' }, 'regenerateOf'],
    ['busy is unknown', { ...message, busy: 'wait' }, 'busy'],
    [
      'an attachment has no name',
      { ...message, attachments: [{ mediaType: 'text/plain', text: 'x' }] },
      'attachments.0.name',
    ],
    [
      'there are nine attachments',
      { ...message, attachments: Array(9).fill({ name: 'a', mediaType: 'b', text: 'c' }) },
      'attachments',
    ],
    [
      'attachments exceed 64 KiB',
      { ...message, attachments: [{ name: 'a', mediaType: 'b', text: 'é'.repeat(32_769) }] },
      'attachments exceed',
    ],
    ['a cancel has no turn', { type: 'cancel' }, 'turnId'],
    ['a watch names a turn', { type: 'watch', turnId }, 'conversationId'],
    ['an auth has no token', { type: 'auth', token: '' }, 'token'],
    ['a cursor is text', { ...resume, cursor: 'start' }, 'cursor'],
    ['a cursor has no seq', { ...resume, cursor: { step: 1 } }, 'cursor.seq'],
    ['a cursor’s seq is negative', { ...resume, cursor: { seq: -1 } }, 'cursor.seq'],
    ['a cursor’s seq is a fraction', { ...resume, cursor: { seq: 1.5 } }, 'cursor.seq'],
    ['a cursor’s seq is beyond exact numbers', { ...resume, cursor: { seq: 2 ** 53 } }, 'cursor.seq'],
    ['a cursor’s channel is unknown', { ...resume, cursor: { seq: 1, channel: 'aside' } }, 'cursor.channel'],
    ['a cursor’s stream is incomplete', { ...resume, cursor: { seq: 1, streams: [{ step: 1 }] } }, 'cursor.streams.0'],
    ['a cursor has 65 streams', { ...resume, cursor: { seq: 1, streams: Array(65).fill(stream) } }, 'cursor.streams'],
  ])('when %s', (_, frame, named) => {
    const refusal = refusalOf(() => parseFrame(frame));
    expect(refusal.code).toBe('invalid_request');
    expect(refusal.message).toContain(named);
  });
});

describe('the length of a message', () => {
  test('may be 10,000 UTF-16 units', () => {
    expect(parseFrame({ ...message, text: 'x'.repeat(10_000) })).toMatchObject({ type: 'message' });
    expect(parseFrame({ ...message, text: '😀'.repeat(5_000) })).toMatchObject({ type: 'message' });
  });

  test.each(['x'.repeat(10_001), `${'😀'.repeat(5_000)}x`, ' '.repeat(10_001)])(
    'may not be one more (row %#)',
    (text) => {
      const refusal = refusalOf(() => parseFrame({ ...message, text }));
      expect(refusal).toEqual({
        code: 'message_too_long',
        message: 'The message has 10001 characters; at most 10000 are accepted.',
      });
      expect(refusalOf(() => parseMessageBody({ turnId, text })).code).toBe('message_too_long');
    },
  );
});

describe('a frame that is good', () => {
  test('may hold fields that this version does not know', () => {
    expect(parseFrame({ ...message, colour: 'red' })).toEqual(message);
  });

  test('keeps its text as it is, spaces and marks included', () => {
    const text = '  <b>x</b>\u0000 \u{1F600} ';
    expect(parseFrame({ ...message, text })).toMatchObject({ text });
  });
});

describe('a body over HTTP', () => {
  test.each([undefined, null, 'text', [], {}, { turnId }, { turnId, text: ' ' }])('is refused as %j', (body) => {
    expect(refusalOf(() => parseMessageBody(body))).toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('the body'),
    });
  });
});

describe('what a refusal answers', () => {
  test.each([
    [JSON.stringify({ ...message, text: '' }), turnId],
    [JSON.stringify({ type: 'watch', conversationId: 'x' }), 'x'],
    [JSON.stringify({ type: 'shout' }), 'shout'],
    [JSON.stringify({ turnId: 5, type: 'message' }), 'message'],
    ['{', undefined],
    ['null', undefined],
    ['[]', undefined],
    ['"text"', undefined],
  ])('%s', (raw, address) => {
    expect(replyAddress(raw)).toBe(address);
  });
});

describe('a cursor', () => {
  test('has a flat form for one stream, the answer when no channel is named', () => {
    expect(toCursor(parseCursor({ seq: 3, step: 1, attempt: 2, offset: 7 }))).toEqual({
      seq: 3,
      streams: [{ step: 1, attempt: 2, channel: 'answer', offset: 7 }],
    });
  });

  test('without streams starts every text at 0', () => {
    expect(toCursor(parseCursor({ seq: 3 }))).toEqual({ seq: 3, streams: [] });
    expect(toCursor(parseCursor({ seq: 3, offset: 7 }))).toEqual({ seq: 3, streams: [] });
  });
});
