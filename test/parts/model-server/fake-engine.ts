/**
 * A chat engine for the tests of the routes: what it says and when is decided by the test, step by step.
 */
import type { ChatEngine, GenerationRequest, GenerationStep } from '../../../src/parts/model-server/chat-engine.ts';
import { createSequencePool } from '../../../src/parts/model-server/sequence-pool.ts';

export type FakeEngine = ChatEngine & {
  /** Resolves when a generation ended by an abort. */
  readonly aborted: Promise<void>;
  readonly requests: GenerationRequest[];
};

export type FakeEngineOptions = {
  /** One token each; after the last the model stops. */
  readonly tokens: readonly string[];
  /** Awaited before each token. */
  readonly beforeToken?: (index: number) => Promise<void>;
  readonly parallel?: number;
  readonly queueLimit?: number;
};

export function createFakeEngine(options: FakeEngineOptions): FakeEngine {
  const parallel = options.parallel ?? 1;
  const queueLimit = options.queueLimit ?? 1;
  const pool = createSequencePool({ slots: Array.from({ length: parallel }, () => ({})), queueLimit, nowMs: () => 0 });
  const requests: GenerationRequest[] = [];
  let markAborted = (): void => undefined;
  const aborted = new Promise<void>((resolve) => {
    markAborted = resolve;
  });

  async function* generate(request: GenerationRequest, signal: AbortSignal): AsyncGenerator<GenerationStep, void> {
    requests.push(request);
    try {
      for (const [index, text] of options.tokens.entries()) {
        await Promise.race([options.beforeToken?.(index), rejectOnAbort(signal)]);
        const isLast = index + 1 >= request.maxTokens;
        yield { text, completionTokens: index + 1, finish: isLast ? 'length' : null };
        if (isLast) return;
      }
      yield { text: '', completionTokens: options.tokens.length, finish: 'stop' };
    } finally {
      if (signal.aborted) markAborted();
    }
  }

  return {
    aborted,
    requests,
    contextTokens: 200,
    tokenize: (segments) => segments.flatMap((segment) => segment.text.split(' ').map(() => 1)),
    open: async (_, signal) => {
      const lease = await pool.acquire(() => 0, signal);
      return { cachedTokens: 2, generate, release: lease.release };
    },
    occupancy: () => ({ parallel, active: pool.active(), queued: pool.queued(), queueLimit }),
  };
}

function rejectOnAbort(signal: AbortSignal): Promise<void> | undefined {
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
