// The turn's log inside its workflow: stamps the envelope, keeps the order, and shows each event to the live lane
// through a sink. The sink is provisional by design: it is not called during replay, is never awaited, and never sees
// a terminal event, because a retried workflow task may decide otherwise than the one that called it.

import { ApplicationFailure, proxySinks, type Sinks } from '@temporalio/workflow';
import { isTerminal, type SequencedEvent } from '../protocol/events.ts';
import { maxEventsPerTurn } from '../protocol/limits.ts';
import type { TurnInput } from '../protocol/turn.ts';

export interface EventSinks extends Sinks {
  readonly events: { publish(event: SequencedEvent): void };
}

type Draft<Event> = Event extends SequencedEvent ? Omit<Event, 'seq' | 'time' | 'turnId' | 'conversationId'> : never;
export type EventDraft = Draft<SequencedEvent>;

export interface EventLog {
  readonly events: readonly SequencedEvent[];
  /** Adds the envelope and returns the event's `seq`. */
  emit(draft: EventDraft): number;
  /** Adds events whose envelope is decided already: the closing ones. */
  append(event: SequencedEvent): void;
}

export function createEventLog(turn: TurnInput, now: () => string): EventLog {
  const { events: lane } = proxySinks<EventSinks>();
  const events: SequencedEvent[] = [];
  const append = (event: SequencedEvent): void => {
    // Room is left for the end: a turn that meets the limit still says how it ended.
    if (events.length >= maxEventsPerTurn - 10 && event.type === 'agent_thinking') {
      throw ApplicationFailure.nonRetryable(`the turn has ${maxEventsPerTurn} events`, 'internal');
    }
    events.push(event);
    if (!isTerminal(event)) lane.publish(event);
  };
  return {
    events,
    append,
    emit(draft) {
      const seq = events.length + 1;
      const { turnId, conversationId } = turn;
      append({ ...draft, seq, time: now(), turnId, conversationId });
      return seq;
    },
  };
}
