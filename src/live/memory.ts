// The live lane inside one process: worker and gateway share it. Each turn is kept as a transcript, so that a late
// subscriber gets what there is in a few events, and forgotten some time after its last event.

import type { TurnEvent } from '../protocol/events.ts';
import type { TurnId } from '../protocol/ids.ts';
import type { BegunTurn, LiveLane } from '../protocol/ports.ts';
import { startCursor } from '../protocol/cursor.ts';
import { applyEvent, emptyTranscript, eventsAfter, type Transcript } from '../protocol/transcript.ts';
import { createStopListeners } from './stop-listeners.ts';

export interface MemoryLaneOptions {
  /** A turn without events for so long is forgotten; the durable side has it. */
  readonly forgetAfterMs: number;
}

interface Lane {
  transcript: Transcript;
  readonly listeners: Set<(event: TurnEvent) => void>;
  lastMs: number;
}

export function createMemoryLane({ forgetAfterMs }: MemoryLaneOptions = { forgetAfterMs: 5 * 60_000 }): LiveLane {
  const lanes = new Map<TurnId, Lane>();
  const stops = createStopListeners();
  const announced = new Set<(begun: BegunTurn) => void>();

  const open = (turnId: TurnId): Lane => {
    const known = lanes.get(turnId);
    if (known !== undefined) return known;
    const lane: Lane = { transcript: emptyTranscript, listeners: new Set(), lastMs: Date.now() };
    lanes.set(turnId, lane);
    return lane;
  };
  const sweep = setInterval(() => {
    const limit = Date.now() - forgetAfterMs;
    for (const [turnId, lane] of lanes) {
      if (lane.lastMs < limit && lane.listeners.size === 0) lanes.delete(turnId);
    }
  }, forgetAfterMs / 5).unref();

  return {
    publish(event) {
      const lane = open(event.turnId);
      lane.lastMs = Date.now();
      lane.transcript = applyEvent(lane.transcript, event);
      for (const listener of [...lane.listeners]) listener(event);
    },
    subscribe(turnId, listener) {
      const lane = open(turnId);
      for (const event of eventsAfter(lane.transcript, startCursor)) listener(event);
      if (lane.transcript.audit !== null) listener(lane.transcript.audit);
      lane.listeners.add(listener);
      return () => void lane.listeners.delete(listener);
    },
    requestStop: (turnId, requestedAt) => stops.tell(turnId, requestedAt),
    onStop: (turnId, listener) => stops.listen(turnId, listener),
    announce(begun) {
      for (const listener of [...announced]) listener(begun);
    },
    onAnnounced(listener) {
      announced.add(listener);
      return () => void announced.delete(listener);
    },
    status: () => ({ kind: 'memory' }),
    close: async () => clearInterval(sweep),
  };
}
