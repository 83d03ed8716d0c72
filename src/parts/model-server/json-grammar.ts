/**
 * Translates a JSON Schema into a GBNF grammar, so that a model cannot write anything else. The library's own
 * translation makes every property required, which would force a small model to invent optional tool arguments, and
 * lets it pad with white space; here optional properties stay optional and the layout is fixed.
 * Not enforced: `pattern`, `format`, `multipleOf` and bounds of numbers other than zero to one; callers validate.
 */
import { createInvalidRequest } from './openai-error.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Keywords that change what is valid in a way no grammar here expresses. */
const UNSUPPORTED = ['not', 'if', 'then', 'else', 'patternProperties', 'dependentSchemas', 'dependentRequired'];

/** Longer bounds make the grammar itself slow (llama.cpp unrolls repetitions). */
const MAX_REPETITION = 1000;

const BASE_RULES = `
string ::= "\\"" char* "\\""
char ::= [^"\\\\\\x00-\\x1F\\x7F] | "\\\\" ["\\\\/bfnrt]
integer ::= "-"? natural
natural ::= "0" | [1-9] [0-9]{0,14}
number ::= "-"? positive
positive ::= natural ("." [0-9]{1,8})? ([eE] [-+]? [0-9]{1,2})?
share ::= "0" ("." [0-9]{1,4})? | "1" (".0")?
boolean ::= "true" | "false"
value ::= object | array | string | number | boolean | "null"
object ::= "{" (member (", " member)*)? "}"
member ::= string ": " value
array ::= "[" (value (", " value)*)? "]"
`;

/** Rules of a grammar whose entry is the rule `json`. */
export type JsonRules = { readonly entry: string; readonly rules: string };

/** `root` accepts any JSON object. */
export const ANY_OBJECT_RULES: JsonRules = { entry: 'object', rules: BASE_RULES };

/** `param` names the request field in the refusal (400) of a schema that cannot be expressed. */
export function compileJsonSchema(schema: Schema, param: string, prefix = 'r'): JsonRules {
  const rules: string[] = [];
  const references = new Map<string, string>();

  const refuse = (reason: string): never => {
    throw createInvalidRequest(`Unable to enforce the schema; ${reason}.`, param, 'unsupported_schema');
  };
  const addRule = (body: string): string => {
    const name = `${prefix}${rules.length}`;
    rules.push(`${name} ::= ${body}`);
    return name;
  };
  const toSchema = (value: unknown): Schema | true => {
    if (value === true || value === undefined) return true;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return refuse('a subschema is not an object');
    return value as Schema;
  };

  const resolveReference = (ref: unknown): string => {
    if (typeof ref !== 'string' || !ref.startsWith('#'))
      return refuse(`"$ref" must be local, found ${JSON.stringify(ref)}`);
    const known = references.get(ref);
    if (known !== undefined) return known;
    const name = `${prefix}ref${references.size}`;
    references.set(ref, name);
    let target: unknown = schema;
    for (const key of ref.split('/').slice(1)) {
      const plain = decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~');
      target = typeof target === 'object' && target !== null ? (target as Schema)[plain] : undefined;
    }
    if (target === undefined) return refuse(`"$ref" ${JSON.stringify(ref)} points to nothing`);
    rules.push(`${name} ::= ${compile(toSchema(target))}`);
    return name;
  };

  const compileObject = (node: Schema): string => {
    const properties = Object.entries((node['properties'] ?? {}) as Schema);
    const required = new Set(Array.isArray(node['required']) ? node['required'] : []);
    const additional = node['additionalProperties'];
    if (properties.length === 0) {
      if (additional === false) return '"{}"';
      const member = addRule(`string ": " ${compile(toSchema(additional))}`);
      return addRule(`"{" (${member} (", " ${member})*)? "}"`);
    }
    const members = properties.map(([key, value]) => ({
      rule: addRule(`${toLiteral(JSON.stringify(key))} ": " ${compile(toSchema(value))}`),
      required: required.has(key),
    }));
    // Two chains, before and after the first member: only then is it known whether a comma comes first.
    let afterFirst = '""';
    let before = '""';
    for (const member of members.toReversed()) {
      const rest = afterFirst;
      const withComma = `", " ${member.rule} ${rest}`;
      before = addRule(member.required ? `${member.rule} ${rest}` : `${member.rule} ${rest} | ${before}`);
      afterFirst = addRule(member.required ? withComma : `${withComma} | ${rest}`);
    }
    return addRule(`"{" ${before} "}"`);
  };

  const compileArray = (node: Schema): string => {
    if (node['prefixItems'] !== undefined) return refuse('"prefixItems" is not supported');
    const item = compile(toSchema(node['items']));
    const least = toCount(node['minItems'], 0);
    const most = node['maxItems'] === undefined ? null : toCount(node['maxItems'], 0);
    if (most === 0) return '"[]"';
    const more = `(", " ${item}){${Math.max(0, least - 1)},${most === null || most > MAX_REPETITION ? '' : most - 1}}`;
    return addRule(least > 0 ? `"[" ${item} ${more} "]"` : `"[" (${item} ${more})? "]"`);
  };

  const compileString = (node: Schema): string => {
    const least = toCount(node['minLength'], 0);
    const most = node['maxLength'] === undefined ? null : toCount(node['maxLength'], 0);
    if (least === 0 && (most === null || most > MAX_REPETITION)) return 'string';
    return addRule(
      `"\\"" char{${Math.min(least, MAX_REPETITION)},${most === null || most > MAX_REPETITION ? '' : most}} "\\""`,
    );
  };

  const compileType = (type: unknown, node: Schema): string => {
    const least = node['minimum'];
    switch (type) {
      case 'object':
        return compileObject(node);
      case 'array':
        return compileArray(node);
      case 'string':
        return compileString(node);
      case 'number':
        if (least === 0 && node['maximum'] === 1) return 'share';
        return typeof least === 'number' && least >= 0 ? 'positive' : 'number';
      case 'integer':
        return typeof least === 'number' && least >= 0 ? 'natural' : 'integer';
      case 'boolean':
        return 'boolean';
      case 'null':
        return '"null"';
      default:
        return refuse(`type ${JSON.stringify(type)} is unknown`);
    }
  };

  const compile = (node: Schema | true): string => {
    if (node === true) return 'value';
    const unsupported = UNSUPPORTED.find((keyword) => node[keyword] !== undefined);
    if (unsupported !== undefined) return refuse(`"${unsupported}" is not supported`);
    if (node['$ref'] !== undefined) return resolveReference(node['$ref']);
    if (node['const'] !== undefined) return toLiteral(toJsonText(node['const']));
    if (Array.isArray(node['enum']))
      return addRule(node['enum'].map((value) => toLiteral(toJsonText(value))).join(' | '));
    const choices = node['anyOf'] ?? node['oneOf'];
    if (Array.isArray(choices)) return addRule(choices.map((choice) => compile(toSchema(choice))).join(' | '));
    if (Array.isArray(node['allOf'])) {
      if (node['allOf'].length !== 1) return refuse('"allOf" with more than one part is not supported');
      return compile(toSchema(node['allOf'][0]));
    }
    const type = node['type'] ?? (node['properties'] === undefined ? undefined : 'object');
    if (type === undefined) return 'value';
    if (Array.isArray(type)) return addRule(type.map((one) => compileType(one, node)).join(' | '));
    return compileType(type, node);
  };

  const entry = compile(schema);
  return { entry, rules: `${BASE_RULES}${rules.join('\n')}\n` };
}

/** The layout of all generated JSON: one space after each comma and colon, as in the models' training data. */
export function toJsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toJsonText).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${toJsonText(member)}`);
    return `{${members.join(', ')}}`;
  }
  return JSON.stringify(value);
}

export function toLiteral(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}"`;
}

function toCount(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : otherwise;
}
