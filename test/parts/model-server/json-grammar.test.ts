import { describe, expect, test } from '@jest/globals';
import { compileJsonSchema, toJsonText } from '../../../src/parts/model-server/json-grammar.ts';

const compile = (schema: Record<string, unknown>): string => {
  const { entry, rules } = compileJsonSchema(schema, 'p');
  return `${rules}\nroot ::= ${entry}`;
};

describe('the grammar of a schema', () => {
  test('keeps optional properties optional and the order of the schema', () => {
    const grammar = compile({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'null' } },
      required: ['b'],
    });
    expect(grammar).toContain('::= "\\"a\\"" ": " string');
    expect(grammar).toContain('::= "\\"b\\"" ": " "null"');
    expect(grammar).toMatch(/r\d+ ::= r0 r\d+ \| r\d+/);
  });

  test('bounds a share to zero and one', () => {
    expect(compile({ type: 'number', minimum: 0, maximum: 1 })).toMatch(/root ::= share$/);
  });

  test('follows a reference to itself', () => {
    const node = { type: 'object', properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } } };
    expect(compile({ $ref: '#/$defs/node', $defs: { node } })).toMatch(/root ::= rref0$/);
  });

  test('writes constants as the generated JSON is laid out', () => {
    expect(toJsonText({ a: [1, 'x'], b: { c: null } })).toBe('{"a": [1, "x"], "b": {"c": null}}');
  });

  test.each([
    [{ not: {} }],
    [{ type: 'object', patternProperties: {} }],
    [{ allOf: [{ type: 'string' }, { type: 'null' }] }],
    [{ $ref: 'http://example.com' }],
    [{ $ref: '#/$defs/none' }],
    [{ type: 'date' }],
    [{ type: 'array', prefixItems: [] }],
    [{ type: 'array', items: 3 }],
  ])('refuses what it cannot enforce: %j', (schema) => {
    expect(() => compile(schema)).toThrow(expect.objectContaining({ status: 400 }));
  });
});
