// Who wants to hear of stops, by turn. A stop is told once, to whoever listens then: a later attempt must not hear it.

import type { TurnId } from '../protocol/ids.ts';

type StopListener = (requestedAt: string) => void;

export interface StopListeners {
  tell(turnId: TurnId, requestedAt: string): void;
  /** Returns the end of the listening. */
  listen(turnId: TurnId, listener: StopListener): () => void;
}

export function createStopListeners(): StopListeners {
  const stops = new Map<TurnId, Set<StopListener>>();
  return {
    tell(turnId, requestedAt) {
      for (const listener of [...(stops.get(turnId) ?? [])]) listener(requestedAt);
    },
    listen(turnId, listener) {
      const listeners = stops.get(turnId) ?? new Set();
      stops.set(turnId, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stops.delete(turnId);
      };
    },
  };
}
