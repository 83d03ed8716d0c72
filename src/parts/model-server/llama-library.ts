/**
 * The subset of node-llama-cpp (3.22) that we use, as our own types: the library is a fetched part, it lies outside
 * `node_modules` and its types are not there when this project is compiled.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export type LlamaSequence = {
  readonly contextTokens: readonly number[];
  compareContextTokens(tokens: readonly number[]): { firstDifferentIndex: number };
  /** Without `allowShift` only a common prefix is kept. */
  adaptStateToTokens(tokens: readonly number[], allowShift: boolean): Promise<void>;
  clearHistory(): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[], options?: LlamaShiftOptions): Promise<void>;
  evaluate(tokens: readonly number[], options: LlamaEvaluateOptions): AsyncGenerator<number, void>;
};

export type LlamaShiftOptions = { contextShift?: { strategy: () => never } };

export type LlamaGrammarState = object;

export type LlamaEvaluateOptions = LlamaShiftOptions & {
  temperature: number;
  topP: number;
  topK: number;
  seed: number;
  grammarEvaluationState?: () => LlamaGrammarState | undefined;
  repeatPenalty?: {
    punishTokens: () => number[];
    penalty: number;
    frequencyPenalty: number;
    presencePenalty: number;
  };
  yieldEogToken: boolean;
};

export type LlamaModel = {
  readonly trainContextSize: number;
  tokenize(text: string, specialTokens: boolean): number[];
  detokenize(tokens: readonly number[], specialTokens: boolean, lastTokens: readonly number[]): string;
  isEogToken(token: number): boolean;
  createContext(options: {
    contextSize: number;
    sequences: number;
    threads: number;
    failedCreationRemedy: false;
  }): Promise<{ readonly contextSize: number; getSequence(): LlamaSequence }>;
};

export type Llama = {
  /** May be changed at any time; the next batch obeys it. */
  maxThreads: number;
  loadModel(options: { modelPath: string; onLoadProgress: (share: number) => void }): Promise<LlamaModel>;
  createGrammar(options: { grammar: string }): Promise<object>;
};

export type LlamaLibrary = {
  getLlama(options: {
    gpu: 'auto' | false;
    build: 'never';
    skipDownload: true;
    progressLogs: false;
    maxThreads: number;
    logLevel: 'error';
    logger: (level: string, message: string) => void;
  }): Promise<Llama>;
  LlamaGrammarEvaluationState: new (options: { model: LlamaModel; grammar: object }) => LlamaGrammarState;
};

/** `directory` is the one whose `node_modules` holds node-llama-cpp. Rejects with the reason when it is not there. */
export async function importLlamaLibrary(directory: string): Promise<LlamaLibrary> {
  const require = createRequire(path.join(path.resolve(directory), 'package.json'));
  const library: unknown = await import(pathToFileURL(require.resolve('node-llama-cpp')).href);
  return library as LlamaLibrary;
}
