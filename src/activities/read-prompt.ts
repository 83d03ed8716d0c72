// The prompt as it was assembled: handed over by the step before when that ran here, else read from the store. A store that is away is no failure of the model and uses up none
// of its tries: it is waited for, as every other step of a turn waits for it, as long as the turn may take.

import { setTimeout as delay } from 'node:timers/promises';
import type { StreamInput } from '../protocol/activities.ts';
import { CandorError } from '../protocol/errors.ts';
import type { StoredPrompt, TurnGraph } from '../protocol/ports.ts';
import type { HandedOver } from './handed-over.ts';

export interface PromptSources {
  readonly graph: Pick<TurnGraph, 'readPrompt'>;
  readonly handedOver: Pick<HandedOver, 'take'>;
}

const [firstPauseMs, maxPauseMs] = [500, 2_000];

/**
 * @param tell called before each pause with the time since which the store is away, ISO 8601
 * @throws CandorError `graph_unavailable` when the turn's time is over, `internal` when the prompt is not the turn's; the
 *   signal's reason when it is stopped
 */
export async function readPrompt(
  { graph, handedOver }: PromptSources,
  { turnId, promptSha256, remainingMs }: Pick<StreamInput, 'turnId' | 'promptSha256' | 'remainingMs'>,
  signal: AbortSignal,
  tell: (since: string) => void,
): Promise<StoredPrompt> {
  const handed = handedOver.take(turnId, promptSha256);
  if (handed !== null) return handed;
  const beganMs = Date.now();
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
    try {
      const prompt = await graph.readPrompt(turnId);
      if (prompt?.sha256 === promptSha256) return prompt;
      throw new CandorError('internal', { facts: { reason: 'the stored prompt is not the one that was assembled' } });
    } catch (error) {
      signal.throwIfAborted();
      const isAway = error instanceof CandorError && error.code === 'graph_unavailable';
      if (!isAway || Date.now() - beganMs + pauseMs > remainingMs) throw error;
      tell(new Date(beganMs).toISOString());
    }
    await delay(pauseMs, undefined, { signal });
  }
}
