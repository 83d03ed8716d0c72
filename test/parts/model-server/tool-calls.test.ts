import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createToolCallReader, createToolGrammar, type ToolCall } from '../../../src/parts/model-server/tool-calls.ts';
import type { ChatTool } from '../../../src/parts/model-server/request-schema.ts';

const names = ['get_weather', 'restart_job'];
const rome: ToolCall = { name: 'get_weather', argumentsJson: '{"city":"Rome"}' };
const json = '{"name": "get_weather", "arguments": {"city": "Rome"}}';
const call = `<tool_call>\n${json}\n</tool_call>`;

function read(pieces: readonly string[], finish: 'stop' | 'length' = 'stop'): { text: string; calls: ToolCall[] } {
  const reader = createToolCallReader(names);
  const parts = [...pieces.map((piece) => reader.push(piece)), reader.flush(finish)];
  return { text: parts.map((part) => part.text).join(''), calls: parts.flatMap((part) => part.calls) };
}

describe('the reader of tool calls', () => {
  test.each([
    ['text alone', 'Hello < world', { text: 'Hello < world', calls: [] }],
    ['a call alone', call, { text: '', calls: [rome] }],
    [
      'a call after text, without the line break between',
      `I look it up.\n${call}`,
      { text: 'I look it up.', calls: [rome] },
    ],
    ['two calls', `${call}\n${call}`, { text: '', calls: [rome, rome] }],
    ['a bare object', json, { text: '', calls: [rome] }],
    ['a fenced object', `\`\`\`json\n${json}\n\`\`\``, { text: '', calls: [rome] }],
    ['a call without its end mark', `<tool_call>\n${json}`, { text: '', calls: [rome] }],
    [
      'an unknown tool as text',
      call.replace('get_weather', 'rm'),
      { text: call.replace('get_weather', 'rm'), calls: [] },
    ],
    [
      'broken JSON as text',
      '<tool_call>\n{"name": \n</tool_call>',
      { text: '<tool_call>\n{"name": \n</tool_call>', calls: [] },
    ],
    ['an object later in a text as text', `See ${json}`, { text: `See ${json}`, calls: [] }],
    ['other JSON as text', '{"a": 1}', { text: '{"a": 1}', calls: [] }],
    ['a code block as text', '```python\nprint(1)\n```', { text: '```python\nprint(1)\n```', calls: [] }],
  ])('reads %s, however it is cut', (_, output, expected) => {
    expect(read([output])).toEqual(expected);
    expect(read([...output])).toEqual(expected);
    fc.assert(
      fc.property(fc.nat(output.length), fc.nat(output.length), (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        expect(read([output.slice(0, from), output.slice(from, to), output.slice(to)])).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  test('drops a call that the token limit cut off', () => {
    expect(read([`Wait. <tool_call>\n{"name": "get_wea`], 'length')).toEqual({ text: 'Wait.', calls: [] });
    expect(read(['{"name": "get_wea'], 'length')).toEqual({ text: '', calls: [] });
  });
});

describe('the grammar of tool calls', () => {
  const tool: ChatTool = { type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } };

  test('rules all of the output when a call is demanded', () => {
    const grammarAt = createToolGrammar({ tools: [tool], mode: 'forced', parallel: false });
    expect(grammarAt('')?.gbnf).toMatch(/^root ::= call\n/);
    expect(grammarAt('anything')?.id).toBe(grammarAt('')?.id);
  });

  test.each([
    ['', 'opening'],
    ['<tool_c', 'opening'],
    ['<tool_call>\n{"na', 'opening'],
    ['{"name', 'opening'],
    ['```json\n{', 'opening'],
    ['```python', undefined],
    ['Hello', undefined],
    ['Hello <tool_call>', 'rest'],
  ])('leaves the model free until it begins a call: %j', (text, id) => {
    expect(createToolGrammar({ tools: [tool], mode: 'free', parallel: true })(text)?.id).toBe(id);
  });
});
