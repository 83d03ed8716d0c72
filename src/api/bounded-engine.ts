// The engine as feeds ask it: so much at once and no more. When a gateway comes back, all its readers do too; what they
// ask for one by one must not reach the engine as one wave, in which messages of others would stand behind.

import pLimit from 'p-limit';
import type { TurnEngine } from '../protocol/ports.ts';

export interface EngineBounds {
  /** Turns looked up at once. */
  readonly finds: number;
  /** Turns looked at at once. */
  readonly stands: number;
  /** Logs asked of workers at once: those of turns without a worker take their whole time limit. */
  readonly logs: number;
}

const defaultBounds: EngineBounds = { finds: 16, stands: 16, logs: 16 };

/** What waits has no time limit yet: those of the engine count from the moment it is asked. */
export function createBoundedEngine(engine: TurnEngine, bounds: EngineBounds = defaultBounds): TurnEngine {
  const [finds, stands, logs] = [pLimit(bounds.finds), pLimit(bounds.stands), pLimit(bounds.logs)];
  return {
    ...engine,
    find: (turnId) => finds(() => engine.find(turnId)),
    stand: (turnId) => stands(() => engine.stand(turnId)),
    log: (turnId, timeoutMs) => logs(() => engine.log(turnId, timeoutMs)),
  };
}
