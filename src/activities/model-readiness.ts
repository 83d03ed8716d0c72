// Waits for a model that is still being fetched or loaded. The turn is durable, so waiting costs nothing; but the user
// has to be told, again and again, that it is the model that everybody waits for.

import { setTimeout as delay } from 'node:timers/promises';
import { CandorError } from '../protocol/errors.ts';
import type { ModelReadiness } from '../protocol/ports.ts';

const tellEveryMs = 5_000;
const lookEveryMs = 200;

/**
 * @returns milliseconds waited
 * @throws CandorError `llm_unavailable` when the model cannot come; the signal's reason when it is stopped
 */
export async function awaitModel(
  readiness: ModelReadiness,
  { name, backend }: { readonly name: string; readonly backend: string },
  signal: AbortSignal,
  tell: (since: string) => void,
): Promise<number> {
  const began = Date.now();
  let told = 0;
  for (;;) {
    const state = readiness();
    if (state === null) return Date.now() - began;
    if (state.state === 'failed') {
      const facts = { model: name, backend, reason: state.reason };
      throw new CandorError('llm_unavailable', { facts, retryable: false });
    }
    if (Date.now() - told >= tellEveryMs) {
      told = Date.now();
      tell(new Date(began).toISOString());
    }
    await delay(lookEveryMs, undefined, { signal });
  }
}
