/**
 * Generates text on one sequence of the model's memory. The prompt is evaluated in small pieces, so that an abort does
 * not wait for a long prompt and the other sequence keeps its pace; text leaves in whole characters only.
 */
import type { GenerationRequest, GenerationStep, Grammar } from './chat-engine.ts';
import type { LlamaEvaluateOptions, LlamaGrammarState, LlamaModel, LlamaSequence } from './llama-library.ts';

export type LlamaGenerator = {
  readonly model: LlamaModel;
  readonly createGrammarState: (gbnf: string) => Promise<LlamaGrammarState>;
};

/** About 0.6 s on two cores with a model of 1.5 B; measured as fast for each token as bigger pieces. */
const PROMPT_PIECE_TOKENS = 64;
/** A character takes at most four tokens of one byte; whatever is still broken after these is broken text. */
const MAX_PENDING_TOKENS = 8;
const PENALTY_WINDOW_TOKENS = 64;
const BROKEN_CHARACTER = '\uFFFD';

/** A shift would silently drop the beginning of the conversation; the callers keep within the context. */
const NO_SHIFT = {
  strategy: (): never => {
    throw new Error('unable to go on generating; the context is full, which the token limit should have prevented');
  },
};

export async function* generateText(
  { model, createGrammarState }: LlamaGenerator,
  sequence: LlamaSequence,
  /** What is not in the sequence yet; at least one token. */
  prompt: readonly number[],
  request: GenerationRequest,
  signal: AbortSignal,
): AsyncGenerator<GenerationStep, void> {
  let text = '';
  let pending: number[] = [];
  const generated: number[] = [];
  let grammar: { readonly id: string; readonly state: LlamaGrammarState } | null = null;

  const followGrammar = async (wanted: Grammar | null): Promise<void> => {
    if (wanted?.id === grammar?.id) return;
    grammar = wanted === null ? null : { id: wanted.id, state: await createGrammarState(wanted.gbnf) };
  };
  /** All that is whole by now, leaving the beginning of a character behind. */
  const decode = (): string => {
    const piece = model.detokenize(pending, false, generated.slice(0, -pending.length).slice(-PENALTY_WINDOW_TOKENS));
    if (piece.endsWith(BROKEN_CHARACTER) && pending.length < MAX_PENDING_TOKENS) return '';
    pending = [];
    return piece;
  };

  await followGrammar(request.grammarAt(text));
  const lastOfPrompt = prompt.length - 1;
  for (let from = 0; from < lastOfPrompt; from += PROMPT_PIECE_TOKENS) {
    signal.throwIfAborted();
    const piece = prompt.slice(from, Math.min(from + PROMPT_PIECE_TOKENS, lastOfPrompt));
    await sequence.evaluateWithoutGeneratingNewTokens(piece, { contextShift: NO_SHIFT });
  }
  signal.throwIfAborted();

  const { repeatPenalty, frequencyPenalty, presencePenalty, ...sampling } = request.sampling;
  const options: LlamaEvaluateOptions = {
    ...sampling,
    contextShift: NO_SHIFT,
    grammarEvaluationState: () => grammar?.state,
    repeatPenalty: {
      // JSON repeats its quotes and braces by nature.
      punishTokens: () => (grammar === null ? generated.slice(-PENALTY_WINDOW_TOKENS) : []),
      penalty: repeatPenalty,
      frequencyPenalty,
      presencePenalty,
    },
    yieldEogToken: true,
  };
  for await (const token of sequence.evaluate(prompt.slice(lastOfPrompt), options)) {
    signal.throwIfAborted();
    if (model.isEogToken(token)) {
      yield { text: '', completionTokens: generated.length, finish: 'stop' };
      return;
    }
    generated.push(token);
    pending.push(token);
    const piece = decode();
    text += piece;
    const isLast = generated.length >= request.maxTokens;
    yield { text: piece, completionTokens: generated.length, finish: isLast ? 'length' : null };
    if (isLast) return;
    signal.throwIfAborted();
    await followGrammar(request.grammarAt(text));
  }
  throw new Error('unable to go on generating; the library ended without an end-of-text token');
}
