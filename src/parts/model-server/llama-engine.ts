/**
 * The chat engine on node-llama-cpp: one model, a few sequences of memory in parallel, each of which remembers the last
 * conversation it served, so that the next message of it only costs its own tokens.
 */
import type { ChatEngine, EngineSession } from './chat-engine.ts';
import { splitSpecialNames, TOOL_CALL_END, TOOL_CALL_START, TURN_END, TURN_START } from './chat-template.ts';
import type { Segment } from './chat-template.ts';
import { generateText, type LlamaGenerator } from './llama-generation.ts';
import type { LlamaLibrary, LlamaModel, LlamaSequence } from './llama-library.ts';
import { createSequencePool, type Lease } from './sequence-pool.ts';

export type LlamaEngineOptions = {
  readonly library: LlamaLibrary;
  readonly modelFile: string;
  /** For each sequence. */
  readonly contextTokens: number;
  readonly parallel: number;
  readonly queueLimit: number;
  readonly threads: number;
  /** Called once, with what changes the number of threads from then on (1 to `threads`). */
  readonly followThreads: (apply: (threads: number) => void) => void;
  readonly nowMs: () => number;
  readonly log: (line: string) => void;
  /** 0 to 1. */
  readonly onProgress: (share: number) => void;
};

/** The library keeps a cell free at the end, and shifts when it is needed. */
const SPARE_CELLS = 16;

/** Rejects with the reason: a file that is not a model, too little memory, a model with another chat format. */
export async function loadLlamaEngine(options: LlamaEngineOptions): Promise<ChatEngine> {
  const { library, contextTokens } = options;
  const llama = await library.getLlama({
    gpu: 'auto',
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    maxThreads: options.threads,
    logLevel: 'error',
    logger: (level, message) => options.log(`llama.cpp ${level}: ${message.trim()}`),
  });
  const model = await llama.loadModel({ modelPath: options.modelFile, onLoadProgress: options.onProgress });
  requireChatMl(model);
  if (contextTokens > model.trainContextSize) {
    throw new Error(
      `unable to give a context of ${contextTokens} tokens; the model was made for ${model.trainContextSize}; choose a smaller --context`,
    );
  }
  const context = await model.createContext({
    contextSize: contextTokens + SPARE_CELLS,
    sequences: options.parallel,
    threads: options.threads,
    failedCreationRemedy: false,
  });
  const sequences = Array.from({ length: options.parallel }, () => context.getSequence());
  options.followThreads((threads) => {
    llama.maxThreads = threads;
  });
  await warmUp(model, sequences[0]);

  const generator: LlamaGenerator = {
    model,
    createGrammarState: async (gbnf) =>
      new library.LlamaGrammarEvaluationState({ model, grammar: await llama.createGrammar({ grammar: gbnf }) }),
  };
  const pool = createSequencePool({ slots: sequences, queueLimit: options.queueLimit, nowMs: options.nowMs });

  return {
    contextTokens,
    tokenize: (segments) => segments.flatMap((segment) => tokenizeSegment(model, segment)),
    open: async (prompt, signal) => {
      const lease = await pool.acquire((sequence) => toAffinity(sequence, prompt), signal);
      return openSession(generator, lease, prompt);
    },
    occupancy: () => ({
      parallel: options.parallel,
      active: pool.active(),
      queued: pool.queued(),
      queueLimit: options.queueLimit,
    }),
  };
}

function requireChatMl(model: LlamaModel): void {
  const missing = [TURN_START, TURN_END].find((name) => model.tokenize(name, true).length !== 1);
  if (missing === undefined) return;
  throw new Error(
    `unable to chat with this model; it has no token ${missing}, and only the ChatML format is known here; serve it by llama-server or Ollama instead`,
  );
}

/** The file is mapped, not read: without this the first user would wait for the disk. */
async function warmUp(model: LlamaModel, sequence: LlamaSequence | undefined): Promise<void> {
  await sequence?.evaluateWithoutGeneratingNewTokens(model.tokenize('warm', false));
  await sequence?.clearHistory();
}

function tokenizeSegment(model: LlamaModel, segment: Segment): number[] {
  if (segment.kind === 'text') return splitSpecialNames(segment.text).flatMap((part) => model.tokenize(part, false));
  const isMark = segment.text === TOOL_CALL_START || segment.text === TOOL_CALL_END;
  const tokens = model.tokenize(segment.text, true);
  if (tokens.length === 1 || isMark) return tokens;
  throw new Error(`unable to build the prompt; ${segment.text} is not one token of this model`);
}

/** What is gained by reuse, less half of what another conversation would lose by it. */
function toAffinity(sequence: LlamaSequence, prompt: readonly number[]): number {
  const common = sequence.compareContextTokens(prompt).firstDifferentIndex;
  return common - (sequence.contextTokens.length - common) / 2;
}

async function openSession(
  generator: LlamaGenerator,
  lease: Lease<LlamaSequence>,
  prompt: readonly number[],
): Promise<EngineSession> {
  const sequence = lease.slot;
  let running: Promise<void> = Promise.resolve();
  try {
    // The last token is evaluated again in any case: the first new one is sampled from it.
    await sequence.adaptStateToTokens(prompt.slice(0, -1), false);
  } catch (error) {
    lease.release();
    throw error;
  }
  const cachedTokens = sequence.contextTokens.length;
  return {
    cachedTokens,
    generate: async function* (request, signal) {
      let markSettled = (): void => undefined;
      running = new Promise((resolve) => {
        markSettled = resolve;
      });
      try {
        yield* generateText(generator, sequence, prompt.slice(cachedTokens), request, signal);
      } finally {
        markSettled();
      }
    },
    // A sequence that is still computing must not be lent again.
    release: () => void running.then(lease.release),
  };
}
