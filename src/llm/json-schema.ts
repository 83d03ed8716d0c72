// JSON schemas as backends accept them. OpenAI's strict mode refuses a schema with keywords that it does not enforce;
// the caller validates the reply by the whole schema anyway.

const refusedKeywords = new Set(['$schema', 'minLength', 'maxLength']);

/** The schema without the keywords that strict mode refuses. Properties that bear such a name are kept. */
export function toStrictSchema(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([keyword]) => !refusedKeywords.has(keyword))
      .map(([keyword, value]) => [keyword, keyword === 'properties' ? toProperties(value) : toStrict(value)]),
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function toStrict(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toStrict);
  return isRecord(value) ? toStrictSchema(value) : value;
}

function toProperties(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, toStrict(schema)]));
}
