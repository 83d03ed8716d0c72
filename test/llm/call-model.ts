// Runs one call of the adapter to its end and keeps both: what came and what was thrown.

import { CandorError } from '../../src/protocol/errors.ts';
import type { LanguageModel, ModelChunk, ModelRequest } from '../../src/protocol/ports.ts';

export const timeouts = { connectMs: 2_000, firstTokenMs: 5_000, silenceMs: 5_000 };

export const toRequest = (over: Partial<ModelRequest> = {}): ModelRequest => ({
  model: 'wire-model',
  messages: [{ role: 'user', content: 'hi' }],
  temperature: null,
  maxTokens: null,
  timeouts,
  ...over,
});

export interface CallOutcome {
  readonly chunks: readonly ModelChunk[];
  readonly answer: string;
  readonly reasoning: string;
  readonly finish: Extract<ModelChunk, { kind: 'finish' }> | null;
  readonly error: unknown;
}

export async function callModel(
  model: LanguageModel,
  over: Partial<ModelRequest> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<CallOutcome> {
  const chunks: ModelChunk[] = [];
  let error: unknown = null;
  try {
    for await (const chunk of model.stream(toRequest(over), signal)) chunks.push(chunk);
  } catch (thrown) {
    error = thrown;
  }
  const textOf = (channel: string): string =>
    chunks.map((c) => (c.kind === 'text' && c.channel === channel ? c.text : '')).join('');
  return {
    chunks,
    answer: textOf('answer'),
    reasoning: textOf('reasoning'),
    finish: chunks.find((c) => c.kind === 'finish') ?? null,
    error,
  };
}

/** The error as a CandorError; any other outcome fails the test with what came instead. */
export function failureOf({ error, chunks }: CallOutcome): CandorError {
  if (error instanceof CandorError) return error;
  throw new Error(`the call did not fail as expected; got ${JSON.stringify(chunks)}`, { cause: error });
}
