// The user's message of a measured turn says what the model's server is to answer, so that whoever starts a turn, by a
// socket or straight in the engine, needs no word with the server.

export interface Order {
  /** One a chunk. */
  readonly tokens: number;
  /** Milliseconds from one to the next; `null`: as fast as the connection takes them. */
  readonly paceMs: number | null;
}

export const toQuestion = (id: string, { tokens, paceMs }: Order): string =>
  `How do I restart a job? (${id}, ${tokens} tokens, ${paceMs ?? 'no'} pace)`;

export function parseQuestion(question: string): Order {
  const [, tokens, pace] = /, (\d+) tokens, (\S+) pace\)$/.exec(question) ?? [];
  if (tokens === undefined) throw new Error(`unable to answer; nobody ordered anything by «${question}»`);
  return { tokens: Number(tokens), paceMs: pace === 'no' ? null : Number(pace) };
}

/** Five letters each, none of which JSON escapes; each at its place only. */
export const toTokens = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => ` ${(index % 10_000).toString().padStart(4, '0')}`);
