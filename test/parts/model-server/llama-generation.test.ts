import { describe, expect, test } from '@jest/globals';
import type { GenerationStep, Grammar } from '../../../src/parts/model-server/chat-engine.ts';
import { generateText } from '../../../src/parts/model-server/llama-generation.ts';
import type { LlamaEvaluateOptions, LlamaModel, LlamaSequence } from '../../../src/parts/model-server/llama-library.ts';

const END = 256;
const sampling = {
  temperature: 0,
  topP: 1,
  topK: 1,
  seed: 1,
  repeatPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
};
/** A model whose tokens are the bytes of UTF-8. */
const model: LlamaModel = {
  trainContextSize: 100,
  tokenize: (text) => [...Buffer.from(text)],
  detokenize: (tokens) => Buffer.from(tokens).toString('utf8'),
  isEogToken: (token) => token === END,
  createContext: () => Promise.reject(new Error('not used')),
};

function createSequence(output: readonly number[], seen: { evaluated: number[]; states: unknown[] }): LlamaSequence {
  return {
    contextTokens: [],
    compareContextTokens: () => ({ firstDifferentIndex: 0 }),
    adaptStateToTokens: async () => undefined,
    clearHistory: async () => undefined,
    evaluateWithoutGeneratingNewTokens: async (tokens) => void seen.evaluated.push(...tokens),
    evaluate: async function* (tokens: readonly number[], options: LlamaEvaluateOptions) {
      seen.evaluated.push(...tokens);
      for (const token of output) {
        seen.states.push(options.grammarEvaluationState?.());
        yield token;
      }
    },
  };
}

async function generate(
  output: readonly number[],
  maxTokens = 100,
  grammarAt: (text: string) => Grammar | null = () => null,
) {
  const seen = { evaluated: [] as number[], states: [] as unknown[] };
  const prompt = Array.from({ length: 150 }, (_, index) => index);
  const steps: GenerationStep[] = [];
  const generator = { model, createGrammarState: async (gbnf: string) => ({ gbnf }) };
  const signal = new AbortController().signal;
  const sequence = createSequence(output, seen);
  for await (const step of generateText(generator, sequence, prompt, { sampling, maxTokens, grammarAt }, signal)) {
    steps.push(step);
  }
  return { steps, seen, prompt, text: steps.map((step) => step.text).join('') };
}

describe('generation', () => {
  test('evaluates the whole prompt, each token once', async () => {
    const { seen, prompt } = await generate([END]);
    expect(seen.evaluated).toEqual(prompt);
  });

  test('sends whole characters only', async () => {
    const { steps, text } = await generate([...Buffer.from('é😀日'), END]);
    expect(text).toBe('é😀日');
    expect(steps.filter((step) => step.text !== '').map((step) => step.text)).toEqual(['é', '😀', '日']);
    expect(steps.at(-1)).toEqual({ text: '', completionTokens: 9, finish: 'stop' });
  });

  test('leaves out the half character at which the token limit fell', async () => {
    const { steps, text } = await generate([...Buffer.from('a😀')], 3);
    expect(text).toBe('a');
    expect(steps.at(-1)).toEqual({ text: '', completionTokens: 3, finish: 'length' });
  });

  test('goes from grammar to grammar as the text demands', async () => {
    const grammarAt = (text: string): Grammar | null => (text.includes('b') ? null : { id: 'x', gbnf: 'g' });
    const { seen } = await generate([...Buffer.from('abc'), END], 100, grammarAt);
    expect(seen.states).toEqual([{ gbnf: 'g' }, { gbnf: 'g' }, undefined, undefined]);
    expect(seen.states[0]).toBe(seen.states[1]);
  });

  test('an end without an end token is an error, not an answer', async () => {
    await expect(generate([...Buffer.from('abc')])).rejects.toThrow('without an end-of-text token');
  });
});
