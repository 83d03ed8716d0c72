import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../src/parts/model-server/openai-error.ts';
import { parseChatRequest } from '../../../src/parts/model-server/request-schema.ts';

const good = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] };
const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
const named = { type: 'function', function: { name: 'g' } };
const jsonFormat = { type: 'json_object' };

function refuse(body: unknown): Refusal {
  try {
    parseChatRequest(body);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('the body was accepted');
}

describe('a chat request', () => {
  test('joins text parts and accepts what it does not know', () => {
    const content = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ];
    const parsed = parseChatRequest({ ...good, messages: [{ role: 'user', content }], user: 'u', store: false });
    expect(parsed.messages[0]?.content).toBe('ab');
  });

  test.each([
    ['no body', undefined, null],
    ['no model', { messages: good.messages }, 'model'],
    ['no messages', { model: 'm', messages: [] }, 'messages'],
    ['an unknown role', { ...good, messages: [{ role: 'bot', content: 'x' }] }, 'messages[0].role'],
    ['a picture', { ...good, messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'messages[0].content'],
    ['an empty assistant message', { ...good, messages: [{ role: 'assistant' }] }, 'messages[0].content'],
    [
      'a tool result without its call',
      { ...good, messages: [{ role: 'tool', content: '' }] },
      'messages[0].tool_call_id',
    ],
    ['a temperature of 3', { ...good, temperature: 3 }, 'temperature'],
    ['a top_p of 0', { ...good, top_p: 0 }, 'top_p'],
    ['no room for an answer', { ...good, max_tokens: 0 }, 'max_tokens'],
    ['half a token', { ...good, max_completion_tokens: 1.5 }, 'max_completion_tokens'],
    ['five stops', { ...good, stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
    ['an empty stop', { ...good, stop: '' }, 'stop'],
    ['two choices', { ...good, n: 2 }, 'n'],
    ['log probabilities', { ...good, logprobs: true }, 'logprobs'],
    ['old functions', { ...good, functions: [] }, 'functions'],
    ['an unknown format', { ...good, response_format: { type: 'xml' } }, 'response_format.type'],
    ['stream options without a stream', { ...good, stream_options: { include_usage: true } }, 'stream_options'],
    ['a choice without tools', { ...good, tool_choice: 'auto' }, 'tool_choice'],
    ['a choice of another tool', { ...good, tools, tool_choice: named }, 'tool_choice'],
    ['the same tool twice', { ...good, tools: [...tools, ...tools] }, 'tools'],
    [
      'a tool with a bad name',
      { ...good, tools: [{ type: 'function', function: { name: 'a b' } }] },
      'tools[0].function.name',
    ],
    ['tools and a format', { ...good, tools, response_format: jsonFormat }, 'response_format'],
  ])('is refused with %s', (_, body, param) => {
    const refusal = refuse(body);
    expect(refusal.status).toBe(400);
    expect(refusal.body.error).toMatchObject({ type: 'invalid_request_error', param });
  });
});
