/**
 * What the routes need of a model, as a port: they are tested without one, and only `llama-engine.ts` knows the library.
 */
import type { Segment } from './chat-template.ts';

/** A grammar in GBNF with the entry rule `root`; equal `id` means the same grammar goes on, with its state. */
export type Grammar = { readonly id: string; readonly gbnf: string };

export type Sampling = {
  /** 0 always takes the likeliest token. */
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly seed: number;
  /** 1 is none; punishes what was said within the last tokens. Not applied while a grammar rules. */
  readonly repeatPenalty: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
};

export type GenerationRequest = {
  readonly sampling: Sampling;
  readonly maxTokens: number;
  /** Asked before each token with all text so far: which grammar the next token has to obey. */
  readonly grammarAt: (text: string) => Grammar | null;
};

/** `text` holds whole characters only. The last step of a generation has `finish`, and perhaps no text. */
export type GenerationStep = {
  readonly text: string;
  readonly completionTokens: number;
  readonly finish: 'stop' | 'length' | null;
};

/** One sequence of the model's memory, lent to one request; `release` must be called, after the last step was taken. */
export type EngineSession = {
  /** How many of the prompt's tokens were still in memory from an earlier request. */
  readonly cachedTokens: number;
  readonly generate: (request: GenerationRequest, signal: AbortSignal) => AsyncGenerator<GenerationStep, void>;
  readonly release: () => void;
};

export type Occupancy = {
  readonly parallel: number;
  readonly active: number;
  readonly queued: number;
  readonly queueLimit: number;
};

export type ChatEngine = {
  /** For each request; prompt and answer together. */
  readonly contextTokens: number;
  readonly tokenize: (segments: readonly Segment[]) => readonly number[];
  /** Waits for a free sequence. Rejects with a `Refusal` (429) when the queue is full, with the signal's reason when aborted. */
  readonly open: (prompt: readonly number[], signal: AbortSignal) => Promise<EngineSession>;
  readonly occupancy: () => Occupancy;
};

export type EngineState =
  | { readonly status: 'loading'; readonly progress: number }
  | { readonly status: 'ready'; readonly engine: ChatEngine }
  | { readonly status: 'failed'; readonly error: string };
