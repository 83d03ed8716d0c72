// Prompts that this worker has just stored, kept for the model call that follows: it mostly runs here too, and need not
// read what was written a moment ago. A copy for speed and nothing else: whoever does not find its prompt here reads the
// store. Bounded by size, the oldest go first.

import type { TurnId } from '../protocol/ids.ts';
import type { StoredPrompt } from '../protocol/ports.ts';

export interface HandedOver {
  /** Only after the store has acknowledged it. */
  give(turnId: TurnId, prompt: StoredPrompt): void;
  /** Once; `null`: not here, or another one. */
  take(turnId: TurnId, sha256: string): StoredPrompt | null;
}

/** UTF-16 units of all prompts together. */
const defaultMaxUnits = 8 * 1024 * 1024;

export function createHandedOver(maxUnits = defaultMaxUnits): HandedOver {
  const prompts = new Map<TurnId, StoredPrompt>();
  let units = 0;
  const remove = (turnId: TurnId): StoredPrompt | null => {
    const prompt = prompts.get(turnId);
    if (prompt === undefined) return null;
    prompts.delete(turnId);
    units -= unitsOf(prompt);
    return prompt;
  };
  return {
    give(turnId, prompt) {
      remove(turnId);
      prompts.set(turnId, prompt);
      units += unitsOf(prompt);
      for (const oldest of prompts.keys()) {
        if (units <= maxUnits) break;
        remove(oldest);
      }
    },
    take(turnId, sha256) {
      const prompt = remove(turnId);
      return prompt?.sha256 === sha256 ? prompt : null;
    },
  };
}

const unitsOf = ({ messages }: StoredPrompt): number => messages.reduce((sum, { content }) => sum + content.length, 0);
